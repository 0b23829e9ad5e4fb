//! What Slurm's commands answer.

use std::process::Command;

/// What came of asking a program.
pub(super) enum Answer {
    /// There is no such program.
    Absent,
    /// It failed, for this reason.
    Refused(String),
    /// It ended well, and printed this, on stdout or on stderr.
    Said(String),
}

/// Runs a program to its end.
pub(super) fn ask(program: &str, arguments: &[&str]) -> Answer {
    let Ok(output) = Command::new(program).args(arguments).output() else {
        return Answer::Absent;
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, complaint) = (text(&output.stdout), text(&output.stderr));
    if !output.status.success() {
        let mut lines = [complaint, said];
        lines.sort_by_key(|text| text.trim().is_empty());
        return Answer::Refused(
            lines[0]
                .trim()
                .lines()
                .last()
                .unwrap_or("it gives no reason")
                .to_owned(),
        );
    }
    Answer::Said(if said.trim().is_empty() {
        complaint
    } else {
        said
    })
}

/// Why no controller of Slurm answers; `None` if one does, or nobody can tell.
pub(super) fn silence() -> Option<String> {
    match ask("scontrol", &["ping"]) {
        Answer::Absent => None,
        Answer::Refused(reason) => Some(reason),
        // `Slurmctld(primary) at host is UP`, a line for each; releases differ in what else they say.
        Answer::Said(said) if said.lines().any(|line| line.trim_end().ends_with("UP")) => None,
        Answer::Said(said) => Some(said.trim().replace('\n', "; ")),
    }
}
