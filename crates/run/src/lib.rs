//! What a run directory holds: the contract it belongs to, the journals of what has ended, the lock of who is at work.

mod epochs;
mod ids;
mod journal;
mod launches;
mod layout;
mod ledger;
mod lock;
pub mod record;
mod selection;
mod status;
pub mod stopping;

pub use epochs::{EpochLine, EpochLog, read_epochs};
pub use ids::{Attempt, Rank, Slot};
pub use journal::{Entry, Journal, merge_journals, read_journal, read_journals};
pub use launches::note_launch;
pub use layout::{Manifest, RunDir};
pub use ledger::Ledger;
pub use lock::Lock;
pub use lock::host;
pub use selection::{Candidate, Choice, Winner, metric, select};
pub use status::{Duration, Heartbeat, Live, Status, seconds_since_1970};
