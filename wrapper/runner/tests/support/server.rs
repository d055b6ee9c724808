//! A mail server for one test: it answers as it is told, and notes what it is sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the server does with a command.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    /// As a server that accepts everything.
    Yes,
    /// This line.
    Say(&'static str),
    /// Nothing: it closes the connection.
    Close,
    /// Nothing, for as long as the test lasts.
    Never,
    /// To the end of a message: that it has it, once [`Server::go_on`] says so.
    Held,
}

/// A message that was offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offered {
    /// The command MAIL, as it came.
    pub(crate) from: String,
    /// The commands RCPT that were accepted.
    pub(crate) to: Vec<String>,
    /// Header and body, with the dots as they were before.
    pub(crate) text: Vec<u8>,
}

/// The server.
pub(crate) struct Server {
    address: SocketAddr,
    offered: Arc<Mutex<Vec<Offered>>>,
    at_the_end: Receiver<()>,
    go_on: Sender<()>,
}

/// Which answer to which command; `.` is the end of a message.
pub(crate) type Script = fn(&str) -> Answer;

impl Server {
    /// Which answers so. It ends with the test program.
    pub(crate) fn new(script: Script) -> Self {
        Self::at(0, script)
    }

    /// The same, at this port; 0: any that is free.
    pub(crate) fn at(port: u16, script: Script) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("a port");
        let address = listener.local_addr().expect("bound");
        let offered = Arc::default();
        let (noted, (waiting, at_the_end), (go_on, held)) = (Arc::clone(&offered), channel(), channel());
        let _: JoinHandle<()> = thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let _ = connection.set_read_timeout(Some(PATIENCE));
                serve(connection, script, &noted, (&waiting, &held));
            }
        });
        Self { address, offered, at_the_end, go_on }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// What it was offered to the end, in order.
    pub(crate) fn offered(&self) -> Vec<Offered> {
        self.offered.lock().expect("whole").clone()
    }

    /// Lets it answer to the end of a message that it holds.
    pub(crate) fn go_on(&self) {
        self.go_on.send(()).expect("it waits");
    }

    /// Waits until it has a message to whose end it gives no answer.
    pub(crate) fn wait_for_a_message(&self) {
        self.at_the_end.recv_timeout(PATIENCE).expect("a message in time");
    }
}

fn serve(
    connection: TcpStream,
    script: Script,
    offered: &Mutex<Vec<Offered>>,
    (silent, held): (&Sender<()>, &Receiver<()>),
) {
    let mut reader = BufReader::new(connection.try_clone().expect("cloned"));
    let mut writer = connection;
    let mut message = None;
    let mut say = |line: &str| writer.write_all(format!("{line}\r\n").as_bytes()).is_ok();
    say("220 test");
    loop {
        let mut command = String::new();
        if reader.read_line(&mut command).unwrap_or(0) == 0 {
            return;
        }
        let command = command.trim_end();
        let verb = command.split_whitespace().next().unwrap_or_default();
        let answer = match (script(command), verb) {
            // RFC 5321, 4.1.4.
            (Answer::Yes, "MAIL") if message.is_some() => Answer::Say("503 a transaction is open"),
            (answer, _) => answer,
        };
        if verb == "RSET" {
            message = None;
        }
        let usual = match verb {
            "EHLO" => "250-test\r\n250 8BITMIME",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        let line = match answer {
            Answer::Yes => usual,
            Answer::Say(line) => line,
            Answer::Close => return,
            Answer::Never | Answer::Held => {
                let _ = reader.read(&mut [0]);
                return;
            }
        };
        if line.starts_with('2') && command.starts_with("MAIL") {
            message = Some(Offered { from: command.into(), to: vec![], text: vec![] });
        }
        if let (true, Some(message)) = (line.starts_with('2') && command.starts_with("RCPT"), &mut message) {
            message.to.push(command.into());
        }
        // 421 says that the connection is closed.
        if !say(line) || line.starts_with("421") {
            return;
        }
        if line.starts_with("354") {
            let mut message = message.take().expect("MAIL before DATA");
            message.text = text(&mut reader);
            match script(".") {
                answer @ (Answer::Yes | Answer::Held) => {
                    if matches!(answer, Answer::Held) {
                        let _ = silent.send(());
                        held.recv_timeout(PATIENCE).expect("told to go on");
                    }
                    offered.lock().expect("whole").push(message);
                    say("250 taken");
                }
                Answer::Say(line) => {
                    say(line);
                }
                Answer::Close => return,
                Answer::Never => {
                    let _ = silent.send(());
                    let _ = reader.read(&mut [0]);
                    return;
                }
            }
        }
    }
}

/// Lines to the dot, each with a line feed, without the dots that were added: RFC 5321, 4.5.2.
fn text(reader: &mut impl BufRead) -> Vec<u8> {
    let mut text = Vec::new();
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line).unwrap_or(0) == 0 || line == b".\r\n" {
            return text;
        }
        assert!(line.ends_with(b"\r\n"), "a line without carriage return: {}", line.escape_ascii());
        line.truncate(line.len() - 2);
        text.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        text.push(b'\n');
    }
}
