//! Journals that are whole, torn, damaged, merged and many.

use std::collections::HashMap;

use efflux_analysis::medians::Medians;

use super::*;
use crate::Ledger;
use crate::ids::{Attempt, Slot};
use crate::record::{Failure, FailureClass, Outcome, Place, Summary};
use efflux_job::{Contract, Job, Variables};

fn contract(job: &Job) -> Contract {
    let variables = Variables::complete(&["t".into()], &[]);
    job.contract("digest", variables, 1000).unwrap()
}

/// Records of three trials, all failed.
fn entries() -> Vec<Entry> {
    let text = "pack = \"a.h5\"\n[seeds]\nsearch = [0, 1, 2]\n";
    let job = Job::parse(Path::new("x.toml"), text.to_owned()).unwrap();
    let trials = job.search_trials(&contract(&job)).unwrap();
    let record = |trial| Record {
        trial,
        attempt: Attempt::FIRST,
        place: Place::default(),
        started: "2026-01-01T00:00:00Z".into(),
        seconds: 1.5,
        outcome: Outcome::Failed(Failure {
            class: FailureClass::Crashed,
            message: "signal 9 – «killed»".into(),
        }),
    };
    let boxed = |trial| Entry::Trial(Box::new(record(trial)));
    trials.iter().cloned().map(boxed).collect()
}

fn written(directory: &Path, launch: &str, entries: &[Entry]) -> PathBuf {
    let mut journal = Journal::create(directory, launch, Rank(0)).unwrap();
    for entry in entries {
        journal.append(entry).unwrap();
    }
    journal.path
}

#[test]
fn a_journal_of_many_blocks_is_read_in_order_and_damage_in_it_has_its_offset() {
    let directory = tempfile::tempdir().unwrap();
    let path = written(directory.path(), "many", &entries());
    let text = fs::read_to_string(&path).unwrap();
    let times = 5 * usize::try_from(BLOCK).unwrap() / text.len();
    fs::write(&path, text.repeat(times)).unwrap();
    let expected = entries().into_iter().cycle().take(3 * times);
    assert!(
        read_journals(directory.path())
            .unwrap()
            .into_iter()
            .eq(expected)
    );

    let mut bytes = fs::read(&path).unwrap();
    // In the first line of the last repetition.
    let offset = (times - 1) * text.len();
    bytes[offset + text.len() / 6] ^= 1;
    fs::write(&path, bytes).unwrap();
    match read_journals(directory.path()) {
        Err(Error::Journal { offset: found, .. }) => assert_eq!(found, offset as u64),
        other => panic!("{:?}", other.map(|entries| entries.len())),
    }
}

#[test]
fn what_was_appended_is_read_back() {
    let directory = tempfile::tempdir().unwrap();
    written(directory.path(), "a", &entries());
    assert_eq!(read_journals(directory.path()).unwrap(), entries());
}

#[test]
fn a_journal_cut_anywhere_in_its_last_record_loses_that_record_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = written(directory.path(), "a", &entries());
    let whole = fs::read(&path).unwrap();
    let last = whole[..whole.len() - 1]
        .iter()
        .rposition(|&byte| byte == b'\n')
        .unwrap()
        + 1;
    for length in last..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(
            read_journals(directory.path()).unwrap(),
            entries()[..2],
            "{length}"
        );
    }
}

#[test]
fn a_flipped_byte_is_refused_with_the_offset_of_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = written(directory.path(), "a", &entries());
    let whole = fs::read(&path).unwrap();
    let second = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    for position in [second, second + 10, second + 40, second + 200] {
        let mut damaged = whole.clone();
        damaged[position] ^= 1;
        fs::write(&path, &damaged).unwrap();
        match read_journals(directory.path()) {
            Err(Error::Journal { offset, .. }) => assert_eq!(offset, second as u64),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn merging_keeps_every_entry_once_and_leaves_one_file() {
    let directory = tempfile::tempdir().unwrap();
    written(directory.path(), "2026-a", &entries()[..2]);
    let twice = written(directory.path(), "2026-b", &entries()[1..]);
    let kept = fs::read(&twice).unwrap();
    let many = |launch: &str| {
        for number in 0..FILES {
            written(directory.path(), &format!("{launch}-{number}"), &[]);
        }
    };
    many("2026-c");
    merge_journals(directory.path(), "2026-d").unwrap();
    assert_eq!(read_journals(directory.path()).unwrap(), entries());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    // As if the process had died between the rename and the removals.
    fs::write(&twice, kept).unwrap();
    many("2026-c");
    merge_journals(directory.path(), "2026-e").unwrap();
    assert_eq!(read_journals(directory.path()).unwrap(), entries());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn two_journals_of_one_launch_and_rank_cannot_be() {
    let directory = tempfile::tempdir().unwrap();
    written(directory.path(), "a", &[]);
    assert!(Journal::create(directory.path(), "a", Rank(0)).is_err());
}

#[test]
fn the_ledger_takes_the_latest_attempt_until_one_has_finished() {
    let mut second = entries().remove(0);
    if let Entry::Trial(record) = &mut second {
        record.attempt = Attempt(2);
    }
    let ledger = Ledger::of(&[entries().remove(0), second.clone()]);
    let Entry::Trial(record) = second else {
        unreachable!()
    };
    assert_eq!(ledger.attempts(&record.trial.id), Attempt(2));
    assert_eq!(ledger.scores(&record.trial.id), None);
}

/// Of three trials: one that failed twice, one that finished after a failure, and one whose later record is superseded.
fn attempts() -> Vec<Entry> {
    let summary = Summary {
        updates: 7,
        epoch: 2,
        loss: 0.5,
        window_share: 1.0,
        train: Medians::default(),
        validation: Medians::of(3, |measure| Some(measure.key.len() as f64 / 7.0)),
        test: Medians::of(2, |_| None),
    };
    let attempt = |trial: usize, attempt: u32, has_finished: bool| {
        let Entry::Trial(mut record) = entries().remove(trial) else {
            unreachable!()
        };
        record.attempt = Attempt(attempt);
        record.started = format!("2026-01-01T00:0{attempt}:00.25Z");
        record.place.launch = format!("launch {attempt}");
        record.place.slot = Slot(attempt);
        if has_finished {
            record.outcome = Outcome::Finished(summary.clone());
        }
        Entry::Trial(record)
    };
    vec![
        attempt(0, 1, false),
        attempt(1, 1, false),
        attempt(2, 1, true),
        attempt(1, 2, true),
        attempt(2, 2, true),
        attempt(0, 2, false),
    ]
}

#[test]
fn a_ledger_that_is_read_is_that_of_the_same_records_in_memory() {
    let directory = tempfile::tempdir().unwrap();
    written(directory.path(), "a", &attempts());
    let (read, told) = (
        Ledger::read(directory.path()).unwrap(),
        Ledger::of(&attempts()),
    );
    for entry in entries() {
        let Entry::Trial(record) = entry else {
            unreachable!()
        };
        let brief = read.brief(&record.trial.id).unwrap();
        assert_eq!(Some(brief), told.brief(&record.trial.id));
        assert_eq!(brief.origin.launch, format!("launch {}", brief.attempt));
        assert!(brief.began.unwrap().fract() == 0.25, "{brief:?}");
    }
    assert_eq!(read.digest(), told.digest());
    assert_eq!(read.entries(), attempts().len());
}

#[test]
fn the_records_of_a_ledger_are_those_that_count_and_none_may_be_gone() {
    let directory = tempfile::tempdir().unwrap();
    let path = written(directory.path(), "a", &attempts());
    let ledger = Ledger::read(directory.path()).unwrap();
    let records = ledger.records(directory.path()).unwrap();
    let expected: HashMap<TrialId, Record> = [5, 3, 2]
        .into_iter()
        .filter_map(|place| match attempts().swap_remove(place) {
            Entry::Trial(record) => Some((record.trial.id.clone(), *record)),
            _ => None,
        })
        .collect();
    assert_eq!(records, expected);
    fs::remove_file(path).unwrap();
    let error = ledger.records(directory.path()).unwrap_err().to_string();
    assert!(error.contains("is gone"), "{error}");
}

#[test]
fn the_selection_that_version_0_1_0_wrote_is_passed_over() {
    let directory = tempfile::tempdir().unwrap();
    let path = written(directory.path(), "a", &entries());
    let text = r#"{"selection":{"rule":{"metric":"median_nse","on":"validation"},"score":0.5,"candidates":[]}}"#;
    let line = format!(
        "{}{}{}{text}{}\n",
        FRAME[0],
        checksum(text.as_bytes()),
        FRAME[1],
        FRAME[2]
    );
    fs::write(&path, fs::read_to_string(&path).unwrap() + &line).unwrap();
    let read = read_journals(directory.path()).unwrap();
    assert_eq!(read.last(), Some(&Entry::Selection(IgnoredAny)));
    let ledger = Ledger::read(directory.path()).unwrap();
    assert!(entries().into_iter().all(|entry| match entry {
        Entry::Trial(record) => ledger.brief(&record.trial.id).is_some(),
        Entry::Rung(_) | Entry::Stop(_) | Entry::Selection(_) => false,
    }));
}
