//! Taking down what a case leaves behind. The kernel waits for a grace period before a mount namespace is gone, which
//! takes longer than many subjects run; stage 0, which has nothing else to do, waits instead of stage 1.

use rustix::io::{Errno, IoSlice, IoSliceMut};
use rustix::net::{
    RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// How many descriptors are collected before stage 0 is woken up for them.
const BATCH: usize = 24;
/// How many are handed over in one message; the kernel's bound (SCM_MAX_FD) is 253.
const MOST: usize = 128;

/// Stage 1's side.
pub(crate) struct Sweeper {
    socket: Option<OwnedFd>,
    pending: Vec<OwnedFd>,
}

impl Sweeper {
    /// `socket` leads to stage 0.
    pub(crate) fn new(socket: OwnedFd) -> Self {
        Self { socket: Some(socket), pending: Vec::new() }
    }

    /// Without a stage 0: nothing that takes long to close is left.
    pub(crate) fn alone() -> Self {
        Self { socket: None, pending: Vec::new() }
    }

    /// Leaves descriptors of mounts and namespaces to be closed some time; at once without a stage 0.
    pub(crate) fn leave(&mut self, descriptors: impl IntoIterator<Item = OwnedFd>) {
        if self.socket.is_some() {
            self.pending.extend(descriptors);
        }
    }

    /// Hands over what has been left, if that is worth it.
    pub(crate) fn hand_over(&mut self) {
        let Some(socket) = self.socket.as_ref().filter(|_| self.pending.len() >= BATCH) else { return };
        for some in self.pending.chunks(MOST) {
            let descriptors: Vec<BorrowedFd<'_>> = some.iter().map(AsFd::as_fd).collect();
            let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
            let mut ancillary = SendAncillaryBuffer::new(&mut space);
            ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
            let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
            // If stage 0 cannot take them, stage 1 waits for the kernel itself, by closing them below.
            let _ = sendmsg(socket, &[IoSlice::new(b"-")], &mut ancillary, flags);
        }
        self.pending.clear();
    }
}

/// Stage 0's side: receives one message and closes what came with it. False at the end of the stream.
pub(crate) fn sweep(socket: &OwnedFd) -> bool {
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    // Dropping the buffer closes every descriptor in it.
    match recvmsg(socket, &mut [IoSliceMut::new(&mut [0])], &mut ancillary, flags) {
        Ok(message) => message.bytes != 0,
        Err(errno) => errno == Errno::AGAIN || errno == Errno::INTR,
    }
}
