//! What a run directory holds: the contract it belongs to, the journals of what has ended, the lock of who is at work.

mod brief;
mod epochs;
mod holder;
mod ids;
mod journal;
mod launches;
mod layout;
mod ledger;
mod lock;
mod place;
pub mod record;
mod repair;
mod results;
mod selection;
mod slot_use;
mod slurm;
mod status;
pub mod stopping;
mod upkeep;

pub use brief::{Brief, BriefOutcome, Origin, Scores};
pub use epochs::{EpochLine, EpochLog, read_epochs};
pub use holder::{host, machine};
pub use ids::{Attempt, Rank, Slot};
pub use journal::{Entry, Journal, merge_journals, read_journal, read_journals};
pub use launches::{note_giving_up, note_launch};
pub use layout::{Manifest, RunDir};
pub use ledger::Ledger;
pub use lock::Lock;
pub use place::FileSystem;
pub use repair::{Damage, repair_journals};
pub use results::{expect_results, has_results, reseal_results, seal_results};
pub use selection::{Candidate, Choice, Winner, select};
pub use slot_use::SlotUse;
pub use slurm::squeue;
pub use status::{Duration, Heartbeat, Live, Status, seconds_since_1970};
