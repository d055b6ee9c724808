//! What follows from the fates of a message's recipients. Nothing here does anything.

use crate::control::Control;
use crate::relay::Fate;
use std::time::Duration;

/// How long a message is tried, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Schedule {
    /// After that a message that could not be delivered is returned.
    pub(crate) return_after: Duration,
}

impl Schedule {
    /// Whether a message has been tried for as long as it is.
    pub(crate) fn is_over(self, control: &Control, now: u64) -> bool {
        age(control, now) >= self.return_after.as_secs()
    }
}

/// Seconds since a message was queued; a clock that was set back has it queued just now.
fn age(control: &Control, now: u64) -> u64 {
    now.saturating_sub(control.created.unwrap_or(now))
}

/// The first delay; each is twice the one before.
const FIRST_DELAY: Duration = Duration::from_secs(5 * 60);
/// The longest.
const LAST_DELAY: Duration = Duration::from_secs(4 * 60 * 60);

/// What is to be done with a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Settled {
    /// Who still waits, by their place among the recipients, and why.
    pub(crate) wait: Vec<(usize, String)>,
    /// Of whom the sender is told that the message has not reached them, and why.
    pub(crate) give_back: Vec<(usize, String)>,
    /// Who has not got it, and nobody is to be told, since nobody sent it.
    pub(crate) nobody_to_tell: Vec<(usize, String)>,
}

/// Whether it is time to try a message again. A clock that was set back is no reason to wait.
pub(crate) fn is_due(control: &Control, now: u64) -> bool {
    let Some(doublings) = control.attempts.checked_sub(1) else { return true };
    let doubled = u32::try_from(doublings).ok().and_then(|doublings| 1_u64.checked_shl(doublings));
    let delay = doubled.and_then(|times| FIRST_DELAY.as_secs().checked_mul(times)).unwrap_or(u64::MAX);
    let delay = delay.min(LAST_DELAY.as_secs());
    now < control.tried || now - control.tried >= delay
}

/// Settles it. `fates` are in the order of the recipients.
pub(crate) fn settle(control: &Control, fates: Vec<Fate>, now: u64, schedule: Schedule) -> Settled {
    let (age, expired) = (age(control, now), schedule.is_over(control, now));
    let mut settled = Settled::default();
    for (at, (recipient, fate)) in control.recipients.iter().zip(fates).enumerate() {
        let why = match fate {
            Fate::Delivered => continue,
            Fate::Deferred(why) if !expired => {
                settled.wait.push((at, why));
                continue;
            }
            Fate::Deferred(why) => format!("tried for {} hours; the last time: {why}", age / 3600),
            Fate::Failed(why) => why,
        };
        match (&control.sender, recipient.tell_failure) {
            (Some(_), true) => settled.give_back.push((at, why)),
            (None, true) => settled.nobody_to_tell.push((at, why)),
            // The sender said, with NOTIFY, that a failure is not to be told.
            (_, false) => {}
        }
    }
    settled
}

#[cfg(test)]
mod tests;
