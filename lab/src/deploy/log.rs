//! What the logs of servers say became of a message.

use crate::scenario::deploy::{Fate, Form};

/// What the log says, from this byte on, became of the last message to this address, with its lines about it; `None`:
/// nothing yet. The message's Message-ID is the address, too.
pub(super) fn fate(form: Form, log: &str, from: usize, address: &str) -> Option<(Fate, String)> {
    let new = log.get(from..)?;
    let lines: Vec<&str> = match form {
        Form::Postfix => new.lines().filter(|line| line.contains(&format!("to=<{address}>"))).collect(),
        Form::Exim => {
            // Why it was put off stands in a line of its own.
            let transport = format!(" <{address}> transport=");
            new.lines().filter(|line| exim(line, address).is_some() || line.contains(&transport)).collect()
        }
        Form::Opensmtpd => {
            let of_this = |line: &&str| line.contains(" mda delivery ") && line.contains(&format!(" to=<{address}>"));
            new.lines().filter(of_this).collect()
        }
        Form::Web => Vec::new(),
        Form::Sendmail => {
            // A list in a file is named by the file: only the queue id of the arrival leads to it, which may be older.
            let arrival = log.lines().rfind(|line| line.contains(&format!("msgid=<{address}>")))?;
            let id = arrival.split_once(": from=")?.0.rsplit(' ').next()?;
            new.lines().filter(|line| line.contains(&format!(" {id}: ")) && !line.contains(": from=")).collect()
        }
    };
    let fate = lines.iter().rev().find_map(|line| match form {
        Form::Postfix => match line.split_once("status=")?.1.split([' ', ',']).next()? {
            "sent" => Some(Fate::Sent),
            "bounced" => Some(Fate::Bounced),
            "deferred" => Some(Fate::Deferred),
            _ => None,
        },
        Form::Exim => exim(line, address),
        Form::Opensmtpd => match line.split_once(" result=")?.1.split(' ').next()? {
            "Ok" => Some(Fate::Sent),
            "PermFail" => Some(Fate::Bounced),
            "TempFail" => Some(Fate::Deferred),
            _ => None,
        },
        Form::Web => None,
        // A message that comes to no mailer is only said to be sent back.
        Form::Sendmail if line.contains(": DSN: ") => Some(Fate::Bounced),
        Form::Sendmail => match line.split_once("dsn=")?.1.bytes().next()? {
            b'2' => Some(Fate::Sent),
            b'4' => Some(Fate::Deferred),
            b'5' => Some(Fate::Bounced),
            _ => None,
        },
    })?;
    Some((fate, lines.join("\n")))
}

/// What a line of Exim's says of the message to this address.
fn exim(line: &str, address: &str) -> Option<Fate> {
    // Date, time, id; without the id it is no line of a message.
    let mut words = line.split(' ').skip(3);
    let fate = match words.next()? {
        "=>" | "->" => Fate::Sent,
        "**" => Fate::Bounced,
        "==" => Fate::Deferred,
        _ => return None,
    };
    words.any(|word| word.trim_matches(['<', '>', ':']) == address).then_some(fate)
}

#[cfg(test)]
mod tests;
