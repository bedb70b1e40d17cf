//! A terminal for tests: a pseudo-terminal, an emulator behind it, and a hand on keyboard and cable.
//!
//! It answers no query, so a program that waits for an answer fails its test. Nothing here sleeps to synchronise: all
//! waiting is for output or for the end of the program, with a limit that only a failing test reaches.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{ChildKiller, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use rustix::termios::{LocalModes, OutputModes, Termios, tcgetattr};

/// How long anything may take before the test fails.
const LIMIT: Duration = Duration::from_secs(60);

/// A program under test and the terminal it runs in.
pub struct Pty {
    killer: Box<dyn ChildKiller + Send + Sync>,
    /// The terminal's end of the cable; none after a hang-up.
    cable: Option<Cable>,
    /// The program's end, to look at its modes and to wake the reader.
    line: File,
    cooked: Termios,
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
    waiter: Option<JoinHandle<()>>,
}

struct Cable {
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
}

struct Shared {
    seen: Mutex<Seen>,
    changed: Condvar,
}

/// What the terminal got.
struct Seen {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    last: Instant,
    stalled: bool,
    unplugged: bool,
    exit: Option<Exit>,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// The exit code; a program that a signal killed has none of its own.
    pub code: u32,
    /// The signal that killed it.
    pub signal: Option<String>,
}

impl Exit {
    /// An ordinary exit.
    pub fn with(code: u32) -> Self {
        Self { code, signal: None }
    }
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        Self { code: status.exit_code(), signal: status.signal().map(str::to_owned) }
    }
}

impl Pty {
    /// Starts a program as the first process of a session on a terminal of `columns` × `rows`, with no environment
    /// but this.
    pub fn spawn(program: &str, arguments: &[&str], environment: &[(&str, &str)], size: (u16, u16)) -> Self {
        let pair = native_pty_system().openpty(pty_size(size)).unwrap();
        let line = OpenOptions::new().read(true).write(true).open(pair.master.tty_name().unwrap()).unwrap();
        let cooked = tcgetattr(&line).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env_clear();
        for (name, value) in [("PATH", env!("PATH")), ("TERM", "xterm-256color"), ("LANG", "C.UTF-8")] {
            command.env(name, value);
        }
        for (name, value) in environment {
            command.env(name, value);
        }
        let mut child = pair.slave.spawn_command(command).unwrap();
        let killer = child.clone_killer();
        drop(pair.slave);

        let shared = Arc::new(Shared::new(size));
        let (reading, waiting) = (Arc::clone(&shared), Arc::clone(&shared));
        let source = pair.master.try_clone_reader().unwrap();
        let reader = Some(std::thread::spawn(move || reading.read(source)));
        let waiter = Some(std::thread::spawn(move || waiting.ended(child.wait().unwrap().into())));
        let keyboard = pair.master.take_writer().unwrap();
        let cable = Some(Cable { master: pair.master, keyboard });
        Self { killer, cable, line, cooked, shared, reader, waiter }
    }

    /// Starts a command line as a job of a job-controlling shell, as a user does; `$0` is the program.
    pub fn spawn_job(script: &str, program: &str, environment: &[(&str, &str)], size: (u16, u16)) -> Self {
        Self::spawn("sh", &["-mc", script, program], environment, size)
    }

    /// Types or pastes bytes.
    pub fn send(&mut self, keys: &str) {
        let Some(Cable { keyboard, .. }) = &mut self.cable else { panic!("the cable is unplugged") };
        keyboard.write_all(keys.as_bytes()).unwrap();
        keyboard.flush().unwrap();
    }

    /// Changes the terminal's size, as dragging its corner does.
    pub fn resize(&mut self, size: (u16, u16)) {
        self.shared.lock().parser.screen_mut().set_size(size.1, size.0);
        self.cable().master.resize(pty_size(size)).unwrap();
    }

    fn cable(&self) -> &Cable {
        self.cable.as_ref().expect("the cable is plugged in")
    }

    /// Sends a signal to the program, or to the job in the foreground of the shell.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.foreground(), signal).unwrap();
    }

    /// Sends a signal that ends a shell's job and waits until that is gone, at most so long.
    pub fn end_job(&self, signal: Signal, limit: Duration) {
        let job = pidfd_open(self.foreground(), PidfdFlags::empty()).unwrap();
        self.signal(signal);
        let limit = Timespec::try_from(limit).unwrap();
        let gone = poll(&mut [PollFd::new(&job, PollFlags::IN)], Some(&limit)).unwrap();
        assert_eq!(gone, 1, "the job is still there");
    }

    fn foreground(&self) -> Pid {
        let leader = self.cable().master.process_group_leader();
        leader.and_then(Pid::from_raw).expect("a job in the foreground")
    }

    /// The terminal stops reading: what the program writes fills the line, and then blocks it.
    pub fn stall(&self) {
        self.shared.lock().stalled = true;
    }

    /// The terminal reads again.
    pub fn unstall(&self) {
        self.shared.lock().stalled = false;
        self.shared.changed.notify_all();
    }

    /// The cable is pulled: the program's terminal is gone.
    pub fn hang_up(&mut self) {
        self.unplug();
        self.cable = None;
    }

    /// Ends the reader, which may be waiting for output.
    fn unplug(&mut self) {
        self.shared.lock().unplugged = true;
        self.unstall();
        let _ = (&self.line).write_all(b"\0");
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }

    /// The screen as text.
    pub fn text(&self) -> String {
        self.shared.lock().parser.screen().contents()
    }

    /// How many bytes have arrived so far.
    pub fn received(&self) -> usize {
        self.shared.lock().bytes.len()
    }

    /// What arrived after the first `mark` bytes.
    pub fn since(&self, mark: usize) -> Vec<u8> {
        self.shared.lock().bytes[mark..].to_vec()
    }

    /// Waits until the screen contains a text.
    pub fn wait_for(&self, text: &str) {
        self.wait_until(&format!("{text:?}"), |screen| screen.contents().contains(text));
    }

    /// Waits until the screen looks as described.
    pub fn wait_until(&self, what: &str, looks: impl Fn(&vt100::Screen) -> bool) {
        self.wait(LIMIT, what, |seen| looks(seen.parser.screen()).then_some(()));
    }

    /// Waits until nothing has arrived for a while; the program has drawn what it had to.
    pub fn wait_quiet(&self, quiet: Duration) {
        let deadline = Instant::now() + LIMIT;
        let mut seen = self.shared.lock();
        loop {
            let left = quiet.saturating_sub(seen.last.elapsed());
            if left.is_zero() {
                return;
            }
            assert!(Instant::now() < deadline, "never quiet:\n{}", seen.parser.screen().contents());
            seen = self.shared.changed.wait_timeout(seen, left).unwrap().0;
        }
    }

    /// Types keys that change the screen, waits until that is drawn, and returns its bytes.
    pub fn cost_of(&mut self, keys: &str, quiet: Duration) -> Vec<u8> {
        let mark = self.received();
        self.send(keys);
        self.wait_more_than(mark);
        self.wait_quiet(quiet);
        self.since(mark)
    }

    /// What arrives within a while.
    pub fn overhear(&self, time: Duration) -> Vec<u8> {
        let mark = self.received();
        let deadline = Instant::now() + time;
        let mut seen = self.shared.lock();
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            seen = self.shared.changed.wait_timeout(seen, left).unwrap().0;
        }
        seen.bytes[mark..].to_vec()
    }

    /// Waits until a text has been sent after the first `mark` bytes, whether or not it is still on screen.
    pub fn wait_sent(&self, mark: usize, text: &str) {
        let sent = |seen: &Seen| String::from_utf8_lossy(&seen.bytes[mark..]).contains(text);
        self.wait(LIMIT, &format!("{text:?} sent"), |seen| sent(seen).then_some(()));
    }

    /// Waits until more than `mark` bytes have arrived.
    pub fn wait_more_than(&self, mark: usize) {
        self.wait(LIMIT, "output", |seen| (seen.bytes.len() > mark).then_some(()));
    }

    /// Waits for the end of the program, at most so long.
    pub fn wait_exit(&self, limit: Duration) -> Exit {
        self.wait(limit, "end of the program", |seen| seen.exit.clone())
    }

    fn wait<T>(&self, limit: Duration, what: &str, found: impl Fn(&Seen) -> Option<T>) -> T {
        let deadline = Instant::now() + limit;
        let mut seen = self.shared.lock();
        loop {
            if let Some(found) = found(&seen) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {what} within {limit:?} in\n{}", seen.parser.screen().contents());
            seen = self.shared.changed.wait_timeout(seen, left).unwrap().0;
        }
    }

    /// Fails unless the terminal is as it was before the program: modes of the line and of the screen.
    pub fn assert_clean(&self) {
        let now = tcgetattr(&self.line).unwrap();
        let local = LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN;
        assert_eq!(now.local_modes & local, self.cooked.local_modes & local, "local modes");
        assert_eq!(
            now.output_modes & OutputModes::OPOST,
            self.cooked.output_modes & OutputModes::OPOST,
            "output processing"
        );
        let left = |switch: &Vec<u8>| switch.is_empty() || switch.last() == Some(&b'l');
        self.wait_until("clean screen", |screen| {
            !screen.alternate_screen()
                && !screen.bracketed_paste()
                && !screen.hide_cursor()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
                && screen.fgcolor() == vt100::Color::Default
                && screen.bgcolor() == vt100::Color::Default
                && !(screen.bold() || screen.dim() || screen.inverse() || screen.underline())
        });
        // The emulator does not know these two.
        for mode in ["\x1b[?1004", "\x1b[?2026"] {
            let switches = self.switches(mode);
            assert!(left(&switches), "{mode:?} is still on: {switches:?}");
        }
    }

    /// Every switch of a private mode so far: `h` for on, `l` for off.
    fn switches(&self, mode: &str) -> Vec<u8> {
        let seen = self.shared.lock();
        let windows = seen.bytes.windows(mode.len() + 1);
        windows
            .filter(|window| window.starts_with(mode.as_bytes()))
            .map(|window| window[mode.len()])
            .collect()
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // Only the program that was started here, by its own handle.
        let _ = self.killer.kill();
        self.unplug();
        if let Some(waiter) = self.waiter.take() {
            let _ = waiter.join();
        }
    }
}

impl Shared {
    fn new((columns, rows): (u16, u16)) -> Self {
        let seen = Seen {
            parser: vt100::Parser::new(rows, columns, 0),
            bytes: Vec::new(),
            last: Instant::now(),
            stalled: false,
            unplugged: false,
            exit: None,
        };
        Self { seen: Mutex::new(seen), changed: Condvar::new() }
    }

    fn ended(&self, exit: Exit) {
        self.lock().exit = Some(exit);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        // A failed assertion must not hide behind the poison it leaves.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, mut source: Box<dyn Read + Send>) {
        let mut chunk = [0; 4096];
        while let Ok(length) = source.read(&mut chunk) {
            let mut seen = self.lock();
            if length == 0 || seen.unplugged {
                return;
            }
            seen.parser.process(&chunk[..length]);
            seen.bytes.extend_from_slice(&chunk[..length]);
            seen.last = Instant::now();
            self.changed.notify_all();
            while seen.stalled {
                seen = self.changed.wait(seen).unwrap();
            }
        }
    }
}

fn pty_size((columns, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}
