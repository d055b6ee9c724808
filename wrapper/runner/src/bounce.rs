//! The message to a sender of what could not be delivered: a delivery status notification of RFC 3464.

use crate::control::Control;
use std::time::Duration;
use wrapper::queue::address::Address;
use wrapper::queue::id::rfc5322;

/// The notification, with a line feed after each line. `failed` are places among the recipients, with the reasons.
pub(crate) fn notification(
    id: &str,
    control: &Control,
    sender: &Address,
    failed: &[(usize, String)],
    host: &str,
    now: u64,
) -> Vec<u8> {
    let header = control.header();
    let sender = String::from_utf8_lossy(sender.as_bytes());
    // No line of the message that is sent along can be this, with the id and the second in it: it would have to be known
    // before the message is queued.
    let boundary = boundary(id, now, &header);
    let date = rfc5322(Duration::from_secs(now));
    let mut text = format!(
        "From: Mail delivery <MAILER-DAEMON@{host}>\nTo: <{sender}>\nDate: {date}\nMessage-Id: <{id}.{now}@{host}>\n\
         Subject: Your message could not be delivered\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"{boundary}\"\n\n\
         --{boundary}\nContent-Type: text/plain; charset=us-ascii\n\n\
         Your message, {id} on {host}, could not be delivered\nto these recipients. It will not be tried again.\n\n"
    );
    for (recipient, why) in of(control, failed) {
        text.push_str(&format!("{recipient}\n    {}\n", printable(why)));
    }
    text.push_str(&format!(
        "\n--{boundary}\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; {host}\n{}",
        control.created.map_or_else(String::new, |created| {
            format!("Arrival-Date: {}\n", rfc5322(Duration::from_secs(created)))
        })
    ));
    for (recipient, why) in of(control, failed) {
        text.push_str(&format!(
            "\nFinal-Recipient: rfc822; {recipient}\nAction: failed\nStatus: {}\nDiagnostic-Code: smtp; {}\n",
            status(why),
            printable(why)
        ));
    }
    text.push_str(&format!("\n--{boundary}\nContent-Type: text/rfc822-headers\n\n"));
    let mut text = text.into_bytes();
    text.extend_from_slice(&header);
    text.extend_from_slice(format!("\n--{boundary}--\n").as_bytes());
    text
}

fn of<'a>(control: &'a Control, failed: &'a [(usize, String)]) -> impl Iterator<Item = (String, &'a str)> {
    failed.iter().filter_map(|(at, why)| {
        let recipient = control.recipients.get(*at)?;
        Some((String::from_utf8_lossy(recipient.address.as_bytes()).into_owned(), why.as_str()))
    })
}

/// A line between the parts that is in none of them.
fn boundary(id: &str, now: u64, header: &[u8]) -> String {
    let within = |boundary: &String| header.windows(boundary.len()).any(|bytes| bytes == boundary.as_bytes());
    // The header is finite, so that one of these is not in it.
    (0_u64..).map(|number| format!("{id}-{now}-{number}")).find(|it| !within(it)).unwrap_or_default()
}

/// The enhanced status code at the beginning of the server's text, RFC 2034, or the one that says no more than "failed".
fn status(why: &str) -> &str {
    let found = why.split_whitespace().take(2).find(|word| {
        let mut parts = word.split('.');
        let number = |part: Option<&str>| {
            part.is_some_and(|it| (1..=3).contains(&it.len()) && it.bytes().all(|b| b.is_ascii_digit()))
        };
        word.starts_with("5.")
            && number(parts.next())
            && number(parts.next())
            && number(parts.next())
            && parts.next().is_none()
    });
    found.unwrap_or("5.0.0")
}

/// One line of printable ASCII, short enough for a field.
fn printable(text: &str) -> String {
    text.chars().take(500).map(|c| if matches!(c, ' '..='~') { c } else { ' ' }).collect()
}

#[cfg(test)]
mod tests;
