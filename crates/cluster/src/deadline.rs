//! The deadline of a sweep, the end of its allocation: from the command line, from Slurm's variable, or asked of Slurm.

use std::str::FromStr;
use std::time::{Duration, Instant};

use efflux_run::squeue;
use jiff::Timestamp;
use jiff::civil::DateTime;

/// When this process has to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// A moment.
    At(Timestamp),
    /// Nobody sets an end.
    Never,
}

impl FromStr for Deadline {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self::Never);
        }
        seconds(text)
            .or_else(|| text.parse().ok())
            .map(Self::At)
            .ok_or_else(|| {
                "expected seconds since 1970, a time with its zone like 2026-11-23T22:00:00Z, or `never`".to_owned()
            })
    }
}

impl Deadline {
    /// What the scheduler says: `SLURM_JOB_END_TIME`, else the answer of `squeue` (Slurm 22.05 has no variable).
    /// Outside a Slurm job, or where Slurm has no answer, nobody sets an end.
    pub fn of_this_job() -> Self {
        let variable = |name| std::env::var(name).ok();
        let at = match (variable("SLURM_JOB_END_TIME"), variable("SLURM_JOB_ID")) {
            (Some(end), _) => seconds(&end),
            (None, Some(job)) => ask(&job),
            (None, None) => None,
        };
        at.map_or(Self::Never, Self::At)
    }

    /// The same moment by the clock that nobody sets. `None` for never.
    pub fn instant(self) -> Option<Instant> {
        let Self::At(end) = self else {
            return None;
        };
        let left = Duration::try_from(end.duration_since(Timestamp::now())).unwrap_or_default();
        Instant::now().checked_add(left)
    }
}

fn seconds(text: &str) -> Option<Timestamp> {
    Timestamp::from_second(text.trim().parse().ok()?).ok()
}

fn ask(job: &str) -> Option<Timestamp> {
    let unknown = |reason: &dyn std::fmt::Display| {
        tracing::error!(
            "squeue does not tell when job {job} ends, so the sweep does not leave in time by itself (give --until, or have \
             Slurm send USR2): {reason}"
        );
    };
    let answer = match squeue(job, "%e") {
        Ok(answer) if answer.status.success() => answer,
        Ok(answer) => {
            unknown(&String::from_utf8_lossy(&answer.stderr).trim());
            return None;
        }
        Err(error) => {
            unknown(&error);
            return None;
        }
    };
    let text = String::from_utf8_lossy(&answer.stdout);
    read(&text).unwrap_or_else(|| {
        unknown(&format_args!("it says `{}`", text.trim()));
        None
    })
}

/// The earliest end in squeue's answer, a line like `2026-11-23T22:00:00` for each part of the job, which has none where that
/// says `N/A` and the like. `None` for what is no such answer.
fn read(answer: &str) -> Option<Option<Timestamp>> {
    const NO_END: [&str; 4] = ["N/A", "NOT_SET", "UNLIMITED", "NONE"];
    let mut ends = Vec::new();
    for line in answer
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        if !NO_END.contains(&line) {
            let end: DateTime = line.parse().ok()?;
            ends.push(end.in_tz("UTC").ok()?.timestamp());
        }
    }
    let is_answered = answer.lines().any(|line| !line.trim().is_empty());
    is_answered.then(|| ends.into_iter().min())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_seconds_since_1970_or_a_time_with_its_zone_or_never() {
        let ten = Deadline::At(Timestamp::from_second(1_795_471_200).unwrap());
        for text in [
            "1795471200",
            "2026-11-23T22:00:00Z",
            "2026-11-23T23:00:00+01:00",
        ] {
            assert_eq!(text.parse(), Ok(ten), "{text}");
        }
        assert_eq!("never".parse(), Ok(Deadline::Never));
        for text in ["", "soon", "2026-11-23T22:00:00", "22:00"] {
            let complaint = text.parse::<Deadline>().unwrap_err();
            assert!(complaint.contains("seconds since 1970"), "{complaint}");
        }
    }

    #[test]
    fn what_squeue_answers_is_read_and_a_job_without_an_end_has_none() {
        let ten = Timestamp::from_second(1_795_471_200).ok();
        assert_eq!(read("2026-11-23T22:00:00\n"), Some(ten));
        // A heterogeneous job has a line for each component.
        assert_eq!(
            read("2026-11-24T22:00:00\n2026-11-23T22:00:00\n"),
            Some(ten)
        );
        assert_eq!(read("N/A\n2026-11-23T22:00:00\n"), Some(ten));
        for answer in ["N/A\n", "NOT_SET\n"] {
            assert_eq!(read(answer), Some(None), "{answer:?}");
        }
        for answer in ["", "\n", "Mon 22:00\n", "1795471200 2026\n"] {
            assert_eq!(read(answer), None, "{answer:?}");
        }
    }

    #[test]
    fn an_end_that_has_passed_is_now() {
        let past = Deadline::At(Timestamp::from_second(5).unwrap()).instant();
        assert!(past.unwrap() <= Instant::now());
        assert_eq!(Deadline::Never.instant(), None);
    }
}
