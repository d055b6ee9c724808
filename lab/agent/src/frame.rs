//! Frames on a stream: a length (u32, little-endian), then that many bytes of postcard.

use lab_invocation::protocol::MAX_FRAME;
use rustix::io::Errno;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::os::fd::AsFd;

/// Why no message could be had.
#[derive(Debug)]
pub(crate) enum FrameError {
    /// The other side is gone.
    Closed,
    /// A read or write failed, or the bytes are no message, or more than either side accepts: nothing that follows on
    /// this stream can be understood.
    Broken,
}

/// Reads one message, waiting for it.
pub(crate) fn receive<T: DeserializeOwned>(from: impl AsFd) -> Result<T, FrameError> {
    let mut length = [0; 4];
    fill(&from, &mut length)?;
    let length = usize::try_from(u32::from_le_bytes(length)).map_err(|_| FrameError::Broken)?;
    if length > MAX_FRAME {
        return Err(FrameError::Broken);
    }
    let mut body = vec![0; length];
    fill(&from, &mut body)?;
    postcard::from_bytes(&body).map_err(|_| FrameError::Broken)
}

/// Writes one message.
pub(crate) fn send<T: Serialize>(to: impl AsFd, message: &T) -> Result<(), FrameError> {
    let frame = encode(message)?;
    let mut rest = frame.as_slice();
    while !rest.is_empty() {
        match write(&to, rest) {
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(_) => return Err(FrameError::Broken),
        }
    }
    Ok(())
}

/// Not write(2) on a socket: a peer that is gone must be an error, not SIGPIPE. On a container's stream, which is a pipe,
/// SIGPIPE ends the agent, as the end of the stream would have done.
fn write(to: impl AsFd, bytes: &[u8]) -> Result<usize, Errno> {
    match rustix::net::send(&to, bytes, rustix::net::SendFlags::NOSIGNAL) {
        Err(Errno::NOTSOCK) => rustix::io::write(&to, bytes),
        sent => sent,
    }
}

/// The bytes of one message with its length.
pub(crate) fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
    let mut frame = postcard::to_extend(message, vec![0; 4]).map_err(|_| FrameError::Broken)?;
    let length = frame.len() - 4;
    let prefix = u32::try_from(length).ok().filter(|_| length <= MAX_FRAME).ok_or(FrameError::Broken)?;
    if let Some(place) = frame.first_chunk_mut::<4>() {
        *place = prefix.to_le_bytes();
    }
    Ok(frame)
}

fn fill(from: impl AsFd, mut buffer: &mut [u8]) -> Result<(), FrameError> {
    while !buffer.is_empty() {
        match rustix::io::read(&from, &mut *buffer) {
            Ok(0) => return Err(FrameError::Closed),
            Ok(count) => buffer = buffer.get_mut(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(_) => return Err(FrameError::Broken),
        }
    }
    Ok(())
}
