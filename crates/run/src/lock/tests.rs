//! Who holds a lock, and on what evidence it is taken over.

use super::*;

fn run() -> (tempfile::TempDir, RunDir) {
    let directory = tempfile::tempdir().unwrap();
    let run = RunDir::new(directory.path());
    run.create().unwrap();
    (directory, run)
}

fn plant(run: &RunDir, change: impl FnOnce(&mut Holder)) {
    let mut holder = Holder::this_process("earlier", run);
    change(&mut holder);
    fs::write(run.lock_file(), serde_json::to_string(&holder).unwrap()).unwrap();
}

#[test]
fn a_second_sweep_is_refused_while_the_first_lives_and_welcome_afterwards() {
    let (_directory, run) = run();
    let lock = Lock::acquire(&run, "first").unwrap();
    let refusal = Lock::acquire(&run, "second").unwrap_err().to_string();
    assert!(
        refusal.contains(&format!("process {}", std::process::id())),
        "{refusal}"
    );
    drop(lock);
    Lock::acquire(&run, "third").unwrap();
}

#[test]
fn the_lock_of_a_process_that_is_gone_is_taken_over() {
    let (_directory, run) = run();
    plant(&run, |holder| holder.pid_start += 1);
    Lock::acquire(&run, "next").unwrap();
}

/// As if its holder had not touched the lock for so long.
fn age(run: &RunDir, seconds: u64) {
    let old = std::time::SystemTime::now() - Duration::from_secs(seconds);
    let lock = fs::File::options().append(true).open(run.lock_file());
    lock.unwrap().set_modified(old).unwrap();
}

#[track_caller]
fn is_held_for_a_minute(change: impl FnOnce(&mut Holder)) {
    let (_directory, run) = run();
    plant(&run, change);
    let refusal = Lock::acquire(&run, "next").unwrap_err().to_string();
    assert!(refusal.contains("last seen 0 s ago"), "{refusal}");
    age(&run, ABANDONED.as_secs() + 5);
    Lock::acquire(&run, "next").unwrap();
}

#[test]
fn where_the_holder_cannot_be_looked_for_its_lock_is_held_until_untouched_for_a_minute() {
    // Containers and hosts that share a name tell by the boot of their kernel.
    is_held_for_a_minute(|holder| holder.boot = "earlier".into());
    is_held_for_a_minute(|holder| {
        holder.pid = u32::MAX >> 1;
        holder.pid_namespace = Some("pid:[1]".into());
    });
    // Version 0.1.0 did not tell its namespace.
    is_held_for_a_minute(|holder| {
        holder.pid_start += 1;
        holder.pid_namespace = None;
    });
}

#[test]
fn a_lock_that_cannot_be_read_is_held_until_untouched_for_a_minute() {
    let (_directory, run) = run();
    fs::write(run.lock_file(), [0xff, 0]).unwrap();
    assert!(Lock::acquire(&run, "next").is_err());
    age(&run, ABANDONED.as_secs() + 5);
    Lock::acquire(&run, "next").unwrap();
}

#[test]
fn a_holder_that_lives_here_keeps_its_lock_however_long_it_stood_still() {
    let (_directory, run) = run();
    plant(&run, |_| {});
    age(&run, 10_000);
    assert!(Lock::acquire(&run, "next").is_err());
}

#[test]
fn a_copy_of_a_run_directory_is_not_locked_by_whoever_is_at_work_in_the_original() {
    let (_directory, run) = run();
    let _lock = Lock::acquire(&run, "first").unwrap();
    let (_other, copy) = self::run();
    fs::copy(run.lock_file(), copy.lock_file()).unwrap();
    Lock::acquire(&copy, "second").unwrap();
}

#[test]
fn a_lock_that_was_taken_over_is_known_to_be_lost_and_not_removed() {
    let (_directory, run) = run();
    let lock = Lock::acquire(&run, "first").unwrap();
    let ours = lock.content.clone();
    assert!(!is_gone_or_anothers(&run.lock_file(), &ours));
    plant(&run, |holder| holder.launch = "thief".into());
    assert!(is_gone_or_anothers(&run.lock_file(), &ours));
    lock.lost.store(true, Ordering::Relaxed);
    assert!(lock.check().is_err());
    drop(lock);
    assert!(run.lock_file().exists());
}
