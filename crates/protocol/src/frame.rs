//! Frames: a message as bincode behind its length in four bytes, little end first. Pipes carry a stream of them; MPI
//! carries one a message, without the length.

use std::io::{self, Read, Write};

use efflux_base::error::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// No message comes near it; a longer frame is garbage on the pipe.
const LONGEST: usize = 64 << 20;

/// The bytes of a message.
///
/// # Errors
///
/// [`Error::Internal`] if it cannot be encoded.
pub fn encode(message: &impl Serialize) -> Result<Vec<u8>> {
    bincode::serialize(message).map_err(|error| Error::Internal(format!("message: {error}")))
}

/// The message in these bytes.
///
/// # Errors
///
/// That they are none.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    bincode::deserialize(bytes).map_err(|error| format!("garbled message: {error}"))
}

/// Writes one frame and flushes.
///
/// # Errors
///
/// What the writer reports, or a message that cannot be encoded.
pub fn write_frame(to: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let body = encode(message).map_err(io::Error::other)?;
    if body.len() > LONGEST {
        return Err(io::Error::other(format!(
            "a message of {} bytes",
            body.len()
        )));
    }
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    // One write, so that a frame is never half there because of us.
    let mut frame = length.to_le_bytes().to_vec();
    frame.extend_from_slice(&body);
    to.write_all(&frame)?;
    to.flush()
}

/// Reads one frame, waiting for it; `None` at the end of the stream.
///
/// # Errors
///
/// What the reader reports, or bytes that are no message.
pub fn read_frame<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = checked(length).map_err(io::Error::other)?;
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    decode(&body).map(Some).map_err(io::Error::other)
}

fn checked(length: [u8; 4]) -> Result<usize, String> {
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST {
        return Err(format!("a frame of {length} bytes"));
    }
    Ok(length)
}

/// Frames that arrive in pieces.
#[derive(Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
}

impl Frames {
    /// Takes in what has arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message, if there is one.
    ///
    /// # Errors
    ///
    /// What is wrong with the bytes; the stream is of no use then.
    pub fn pop<T: DeserializeOwned>(&mut self) -> Result<Option<T>, String> {
        let Some(length) = self.bytes.first_chunk::<4>() else {
            return Ok(None);
        };
        let end = 4 + checked(*length)?;
        if self.bytes.len() < end {
            return Ok(None);
        }
        let message = decode(&self.bytes[4..end])?;
        self.bytes.drain(..end);
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::{Assignment, FromTrainer, Isolation, ToTrainer, TrialEvent};
    use super::*;
    use efflux_job::TrialId;
    use efflux_run::Attempt;
    use efflux_run::record::Summary;
    use proptest::prelude::*;

    fn reports() -> Vec<FromTrainer> {
        vec![
            FromTrainer::Simulated(TrialId::named("none")),
            FromTrainer::Trial(TrialEvent::Progress(vec![])),
            FromTrainer::Simulated(TrialId::named(&"é".repeat(500))),
        ]
    }

    proptest! {
        #[test]
        fn frames_cut_anywhere_give_the_same_messages(pieces in prop::collection::vec(1_usize..40, 1..200)) {
            let mut stream = Vec::new();
            for report in reports() {
                write_frame(&mut stream, &report).unwrap();
            }
            let (mut frames, mut found, mut pieces) = (Frames::default(), Vec::new(), pieces.into_iter().cycle());
            while !stream.is_empty() {
                let length = pieces.next().unwrap().min(stream.len());
                frames.push(&stream.drain(..length).collect::<Vec<u8>>());
                while let Some(report) = frames.pop::<FromTrainer>().unwrap() {
                    found.push(report);
                }
            }
            prop_assert_eq!(found, reports());
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut frames = Frames::default();
            frames.push(&bytes);
            while let Ok(Some(_)) = frames.pop::<ToTrainer>() {}
        }
    }

    /// Medians are a map by the keys of their measures.
    #[test]
    fn what_a_finished_trial_tells_survives_the_way() {
        let summary = Summary {
            updates: 502,
            epoch: 2,
            loss: 0.5,
            window_share: 0.25,
            train: Default::default(),
            validation: Default::default(),
            test: Default::default(),
        };
        let bytes = encode(&summary).unwrap();
        assert_eq!(decode::<Summary>(&bytes), Ok(summary));
    }

    #[test]
    fn a_path_that_is_no_utf_8_arrives_as_it_is_and_a_message_that_nobody_would_take_is_not_sent() {
        use std::os::unix::ffi::OsStringExt;
        let path = |bytes: Vec<u8>| std::ffi::OsString::from_vec(bytes).into();
        let order = |keep: std::path::PathBuf| {
            let job =
                efflux_job::Job::parse("x.toml".as_ref(), "pack = \"a.h5\"\n".into()).unwrap();
            let variables = efflux_job::Variables::complete(&["t".into()], &[]);
            let contract = job.contract("digest", variables, 1000).unwrap();
            ToTrainer::Train(Assignment {
                trial: job.search_trials(&contract).unwrap()[0].clone(),
                attempt: Attempt::FIRST,
                isolation: Isolation::SharedLanes,
                until: None,
                metric_of_sites: None,
                keep: Some(keep),
                checkpoint: None,
            })
        };
        let latin = order(path(b"f\xf6hr/\xe9".to_vec()));
        let mut stream = Vec::new();
        write_frame(&mut stream, &latin).unwrap();
        assert_eq!(read_frame(&mut &stream[..]).unwrap(), Some(latin));
        let mut stream = Vec::new();
        let endless = order(path(vec![b'x'; LONGEST + 1]));
        assert!(write_frame(&mut stream, &endless).is_err());
        assert!(stream.is_empty());
    }

    #[test]
    fn a_stream_that_ends_between_frames_ends_quietly() {
        let mut stream = Vec::new();
        write_frame(&mut stream, &ToTrainer::Stop).unwrap();
        let mut reader = &stream[..];
        assert_eq!(read_frame(&mut reader).unwrap(), Some(ToTrainer::Stop));
        assert_eq!(read_frame::<ToTrainer>(&mut reader).unwrap(), None);
    }
}
