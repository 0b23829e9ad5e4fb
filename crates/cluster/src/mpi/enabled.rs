//! A small checked wrapper over the raw MPI calls. rsmpi's safe interface drops the return codes, and with
//! `MPI_ERRORS_RETURN` a receive that failed would then be garbage without a word.

// The raw interface is unsafe by nature. Every call is made from the one thread that initialised MPI (`World` is not
// `Send`), with buffers that live until MPI is done with them.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr;
use std::time::{Duration, Instant};

use efflux_base::error::{Error, Exit, Result};
use efflux_protocol::{SHUTDOWN_SIGNALS, decode, encode};
use efflux_run::Rank;
use mpi::ffi;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// All messages have the same tag: the type of the hop and direction tells them apart.
const TAG: c_int = 0;
/// How long leaving may take before it is cut short.
const FAREWELL: Duration = Duration::from_secs(15);

/// The processes of this launch.
#[derive(Debug)]
pub struct World {
    rank: Rank,
    size: u32,
    /// Messages that MPI may still be reading from.
    underway: Vec<Underway>,
    /// Ranks that are gone, in the order they went.
    lost: Vec<Rank>,
    /// So many of them have been told of.
    told: usize,
    /// Not `Send`: MPI stays on the thread that initialised it.
    _thread: PhantomData<*const ()>,
}

#[derive(Debug)]
struct Underway {
    request: ffi::MPI_Request,
    _bytes: Vec<u8>,
}

/// The calls of the fault-tolerance extension (ULFM) that are needed, as `mpi-ext.h` of Open MPI 5 declares them.
/// rsmpi reads `mpi.h` only.
#[cfg(ulfm)]
mod ulfm {
    use super::{c_int, ffi};

    unsafe extern "C" {
        pub(super) fn MPIX_Comm_ack_failed(
            comm: ffi::MPI_Comm,
            to_acknowledge: c_int,
            acknowledged: *mut c_int,
        ) -> c_int;
        pub(super) fn MPIX_Comm_get_failed(
            comm: ffi::MPI_Comm,
            failed: *mut ffi::MPI_Group,
        ) -> c_int;
    }
}

/// `Ok` if the call succeeded, else MPI's own words.
fn check(call: &str, code: c_int) -> Result<()> {
    // Zero is MPI_SUCCESS by the standard.
    if code == 0 {
        return Ok(());
    }
    let mut text = [0_u8; 512];
    let mut length = 0;
    // SAFETY: the buffer is longer than MPI_MAX_ERROR_STRING (256 in Open MPI, 512 in MPICH) allows a text to be.
    let known = unsafe { ffi::MPI_Error_string(code, text.as_mut_ptr().cast(), &raw mut length) };
    let reason = match (known, usize::try_from(length)) {
        (0, Ok(length)) => String::from_utf8_lossy(&text[..length.min(text.len())]).into_owned(),
        _ => format!("code {code}"),
    };
    Err(Error::Mpi(format!("{call}: {reason}")))
}

/// Whether a call failed because a rank is gone. Only an MPI with the extension says so and lets the others live.
fn is_loss(code: c_int) -> bool {
    #[cfg(ulfm)]
    {
        let mut class = 0;
        // SAFETY: the output is a live integer.
        let known = unsafe { ffi::MPI_Error_class(code, &raw mut class) };
        code != 0 && known == 0 && class == ffi::MPI_ERR_PROC_FAILED.cast_signed()
    }
    #[cfg(not(ulfm))]
    {
        let _ = code;
        false
    }
}

/// How this process handles the signals that ask a sweep to shut down.
struct Handlers(Vec<(i32, libc::sigaction)>);

impl Handlers {
    fn now() -> Self {
        let handler = |signal| {
            let mut handler = MaybeUninit::uninit();
            // SAFETY: nothing is set; the output is read only where it was filled.
            unsafe {
                let code = libc::sigaction(signal, ptr::null(), handler.as_mut_ptr());
                (code == 0).then(|| (signal, handler.assume_init()))
            }
        };
        let signals = SHUTDOWN_SIGNALS.into_iter();
        Self(signals.filter_map(|(signal, _)| handler(signal)).collect())
    }

    /// Sets them again. A library that MPI loads may have put its own in their place: UCX has one for HUP, which has the
    /// process wait for a debugger.
    fn restore(&self) {
        for (signal, handler) in &self.0 {
            // SAFETY: a handler that was set before is as sound as it was then.
            unsafe { libc::sigaction(*signal, handler, ptr::null_mut()) };
        }
    }
}

impl World {
    /// How long a rank rests between two looks for messages: short beside a trial, long beside a look.
    pub const POLL_INTERVAL: Duration = Duration::from_millis(4);

    /// Joins the other processes of this launch; `None` where there are none, and MPI is left alone.
    ///
    /// # Errors
    ///
    /// [`Error::Mpi`] if the world is of another size than the launcher promised.
    pub fn join() -> Result<Option<Self>> {
        let promised = match super::promised_size()? {
            None | Some(1) => return Ok(None),
            Some(promised) => promised,
        };
        let mut provided = 0;
        let handlers = Handlers::now();
        // SAFETY: called once, from the main thread, before any other MPI call; null arguments are allowed.
        check("MPI_Init_thread", unsafe {
            ffi::MPI_Init_thread(
                ptr::null_mut(),
                ptr::null_mut(),
                ffi::RSMPI_THREAD_FUNNELED,
                &raw mut provided,
            )
        })?;
        handlers.restore();
        let (mut rank, mut size) = (0, 0);
        // SAFETY: MPI is initialised; the outputs are live integers.
        unsafe {
            let world = ffi::RSMPI_COMM_WORLD;
            check(
                "MPI_Comm_set_errhandler",
                ffi::MPI_Comm_set_errhandler(world, ffi::RSMPI_ERRORS_RETURN),
            )?;
            check("MPI_Comm_rank", ffi::MPI_Comm_rank(world, &raw mut rank))?;
            check("MPI_Comm_size", ffi::MPI_Comm_size(world, &raw mut size))?;
        }
        let world = Self {
            rank: Rank(u32::try_from(rank).unwrap_or_default()),
            size: u32::try_from(size).unwrap_or_default(),
            underway: Vec::new(),
            lost: Vec::new(),
            told: 0,
            _thread: PhantomData,
        };
        if world.size != promised {
            let found = world.size;
            world.leave(Exit::Environment);
            return Err(super::mismatch(promised, found));
        }
        Ok(Some(world))
    }

    pub(super) fn library_version() -> String {
        // MPI_MAX_LIBRARY_VERSION_STRING is 256 in Open MPI and 8192 in MPICH.
        let mut text = vec![0_u8; 16384];
        let mut length = 0;
        // SAFETY: may be called before MPI_Init; the buffer is long enough for either library.
        let code =
            unsafe { ffi::MPI_Get_library_version(text.as_mut_ptr().cast(), &raw mut length) };
        match (
            check("MPI_Get_library_version", code),
            usize::try_from(length),
        ) {
            (Ok(()), Ok(length)) => {
                let text = String::from_utf8_lossy(&text[..length]);
                text.lines()
                    .next()
                    .unwrap_or_default()
                    .trim_end_matches('\0')
                    .to_owned()
            }
            (Err(error), _) => error.to_string(),
            (Ok(()), Err(_)) => "unknown".to_owned(),
        }
    }

    /// This process's rank.
    pub fn rank(&self) -> Rank {
        self.rank
    }

    /// Number of ranks.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Sends a message without waiting for its arrival. To a rank that is gone it is lost.
    ///
    /// # Errors
    ///
    /// [`Error::Mpi`] if MPI refuses.
    pub fn send(&mut self, to: Rank, message: &impl Serialize) -> Result<()> {
        self.reap()?;
        if self.lost.contains(&to) {
            return Ok(());
        }
        let bytes = encode(message)?;
        let too_much = |_| Error::Internal("an MPI message out of range".into());
        let count = c_int::try_from(bytes.len()).map_err(too_much)?;
        let to = c_int::try_from(to.0).map_err(too_much)?;
        // SAFETY: the heap block of `bytes` does not move and is kept until MPI has sent it.
        let request = unsafe {
            let mut request = ffi::RSMPI_REQUEST_NULL;
            let code = ffi::MPI_Isend(
                bytes.as_ptr().cast(),
                count,
                ffi::RSMPI_UINT8_T,
                to,
                TAG,
                ffi::RSMPI_COMM_WORLD,
                &raw mut request,
            );
            if is_loss(code) {
                self.acknowledge_losses()?;
                return Ok(());
            }
            check("MPI_Isend", code)?;
            request
        };
        self.underway.push(Underway {
            request,
            _bytes: bytes,
        });
        Ok(())
    }

    /// The next message and its sender, if one has arrived.
    ///
    /// # Errors
    ///
    /// [`Error::Mpi`] if MPI fails or the message is garbled.
    pub fn receive<T: DeserializeOwned>(&mut self) -> Result<Option<(Rank, T)>> {
        self.reap()?;
        let mut arrived = 0;
        let mut status = MaybeUninit::<ffi::MPI_Status>::uninit();
        // SAFETY: `status` is read only if a message has arrived, and MPI has then filled it.
        let (from, bytes) = unsafe {
            let code = ffi::MPI_Iprobe(
                ffi::RSMPI_ANY_SOURCE,
                TAG,
                ffi::RSMPI_COMM_WORLD,
                &raw mut arrived,
                status.as_mut_ptr(),
            );
            if is_loss(code) {
                self.acknowledge_losses()?;
                return Ok(None);
            }
            check("MPI_Iprobe", code)?;
            if arrived == 0 {
                return Ok(None);
            }
            let status = status.assume_init();
            let mut count = 0;
            let code = ffi::MPI_Get_count(&raw const status, ffi::RSMPI_UINT8_T, &raw mut count);
            check("MPI_Get_count", code)?;
            let mut bytes = vec![0_u8; usize::try_from(count).unwrap_or_default()];
            let code = ffi::MPI_Recv(
                bytes.as_mut_ptr().cast(),
                count,
                ffi::RSMPI_UINT8_T,
                status.MPI_SOURCE,
                TAG,
                ffi::RSMPI_COMM_WORLD,
                ffi::RSMPI_STATUS_IGNORE,
            );
            if is_loss(code) {
                self.acknowledge_losses()?;
                return Ok(None);
            }
            check("MPI_Recv", code)?;
            (status.MPI_SOURCE, bytes)
        };
        let from = Rank(u32::try_from(from).unwrap_or_default());
        let message =
            decode(&bytes).map_err(|garbled| Error::Mpi(format!("from rank {from}: {garbled}")))?;
        Ok(Some((from, message)))
    }

    /// Ranks that are gone and were not told of before. Only the fault-tolerance extension tells, and only if the launch
    /// was started with it (`mpirun --with-ft ulfm`); otherwise a lost rank ends the launch.
    pub fn lost(&mut self) -> Vec<Rank> {
        let news = self.lost[self.told..].to_vec();
        self.told = self.lost.len();
        news
    }

    /// Whether any rank is gone.
    pub fn has_lost(&self) -> bool {
        !self.lost.is_empty()
    }

    /// Notes who is gone, and has MPI receive from any of the others again.
    #[cfg(ulfm)]
    fn acknowledge_losses(&mut self) -> Result<()> {
        // SAFETY: a constant of the library.
        let world = unsafe { ffi::RSMPI_COMM_WORLD };
        let mut acknowledged = 0;
        let mut count = 0;
        // SAFETY: MPI is initialised; outputs are live, the arrays are as long as the group, and both groups are freed.
        let ranks = unsafe {
            let mut failed = ffi::RSMPI_GROUP_NULL;
            let mut all = ffi::RSMPI_GROUP_NULL;
            let size = c_int::try_from(self.size).unwrap_or(c_int::MAX);
            let code = ulfm::MPIX_Comm_ack_failed(world, size, &raw mut acknowledged);
            check("MPIX_Comm_ack_failed", code)?;
            let code = ulfm::MPIX_Comm_get_failed(world, &raw mut failed);
            check("MPIX_Comm_get_failed", code)?;
            check(
                "MPI_Group_size",
                ffi::MPI_Group_size(failed, &raw mut count),
            )?;
            let there: Vec<c_int> = (0..count).collect();
            let mut ranks = vec![0; there.len()];
            check("MPI_Comm_group", ffi::MPI_Comm_group(world, &raw mut all))?;
            let code = ffi::MPI_Group_translate_ranks(
                failed,
                count,
                there.as_ptr(),
                all,
                ranks.as_mut_ptr(),
            );
            check("MPI_Group_translate_ranks", code)?;
            check("MPI_Group_free", ffi::MPI_Group_free(&raw mut failed))?;
            check("MPI_Group_free", ffi::MPI_Group_free(&raw mut all))?;
            ranks
        };
        for rank in ranks {
            let rank = Rank(u32::try_from(rank).unwrap_or_default());
            if !self.lost.contains(&rank) {
                self.lost.push(rank);
            }
        }
        Ok(())
    }

    #[cfg(not(ulfm))]
    fn acknowledge_losses(&mut self) -> Result<()> {
        Err(Error::Internal("a loss that this MPI cannot report".into()))
    }

    /// Lets go of what has been sent.
    fn reap(&mut self) -> Result<()> {
        let mut index = 0;
        while index < self.underway.len() {
            let mut done = 0;
            // SAFETY: the request was made by MPI_Isend and has not been completed.
            let code = unsafe {
                ffi::MPI_Test(
                    &raw mut self.underway[index].request,
                    &raw mut done,
                    ffi::RSMPI_STATUS_IGNORE,
                )
            };
            if !is_loss(code) {
                check("MPI_Test", code)?;
            }
            if done != 0 || is_loss(code) {
                self.underway.swap_remove(index);
            } else {
                index += 1;
            }
        }
        Ok(())
    }

    /// Delivers what is underway and finalises MPI, both within a bound: a peer that died must not hold up the rest.
    /// Past the bound the process ends with `exit`.
    pub fn leave(mut self, exit: Exit) {
        let deadline = Instant::now() + FAREWELL;
        while !self.underway.is_empty() && Instant::now() < deadline && self.reap().is_ok() {
            std::thread::sleep(Self::POLL_INTERVAL);
        }
        let (left, has_left) = std::sync::mpsc::channel::<()>();
        std::thread::spawn(move || {
            if has_left.recv_timeout(FAREWELL).is_err() {
                // The results are in the journals; only the launcher is left to be told.
                tracing::warn!("MPI_Finalize did not return, leaving without it");
                std::process::exit(exit as i32);
            }
        });
        // SAFETY: MPI is initialised, and no call follows.
        let code = unsafe { ffi::MPI_Finalize() };
        // The watchdog may be gone only if it has fired.
        let _ = left.send(());
        if let Err(error) = check("MPI_Finalize", code) {
            tracing::warn!("{error}");
        }
    }
}
