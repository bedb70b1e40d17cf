//! The thread that reads the terminal, and watches for its end.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::stdio::stdin;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Input;
use super::decode::Decoder;
use crate::runtime::signals::GRACE;
use crate::runtime::terminal::Rescue;

/// The exit code of a hang-up, SIGHUP's.
const HANGUP: u8 = 129;
/// What a terminal that is gone says in poll(2).
const GONE: PollFlags = PollFlags::HUP.union(PollFlags::ERR).union(PollFlags::NVAL);

/// The reader thread's handle; dropping it ends the thread.
#[derive(Debug)]
pub struct Reader {
    input: UnboundedReceiver<Input>,
    shared: Arc<Shared>,
    wake: PipeWriter,
}

impl Reader {
    /// Starts reading standard input.
    pub fn start(rescue: &Rescue) -> io::Result<Self> {
        let (sender, input) = unbounded_channel();
        let (woken, wake) = io::pipe()?;
        let shared = Arc::<Shared>::default();
        let thread = Thread { sender, woken, shared: Arc::clone(&shared), rescue: rescue.clone() };
        std::thread::Builder::new().name("input".to_owned()).spawn(move || thread.run())?;
        Ok(Self { input, shared, wake })
    }

    /// The next input; waits for ever when the thread has ended.
    pub async fn next(&mut self) -> Input {
        match self.input.recv().await {
            Some(input) => input,
            None => std::future::pending().await,
        }
    }

    /// What has arrived already, for draining before a frame is drawn.
    pub fn try_next(&mut self) -> Option<Input> {
        self.input.try_recv().ok()
    }

    /// Leaves the terminal's input to somebody else; when this returns, nothing more is read.
    pub(in crate::runtime) fn pause(&self) -> io::Result<()> {
        self.set(Want::Pause)
    }

    /// Reads again.
    pub(in crate::runtime) fn resume(&self) -> io::Result<()> {
        self.set(Want::Read)
    }

    fn set(&self, want: Want) -> io::Result<()> {
        let mut state = self.shared.lock();
        state.want = want;
        (&self.wake).write_all(&[0])?;
        while state.does != want && !state.ended {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }
}

/// What the thread shall do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Want {
    #[default]
    Read,
    Pause,
}

#[derive(Debug, Default)]
struct State {
    want: Want,
    does: Want,
    ended: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what is wanted and tells whoever waits for it.
    fn obey(&self) -> Want {
        let mut state = self.lock();
        state.does = state.want;
        self.changed.notify_all();
        state.want
    }
}

/// Why the thread ends.
enum End {
    /// Nobody is interested any more.
    Dismissed,
    /// The terminal is gone.
    Hangup,
}

/// The thread's side.
struct Thread {
    sender: UnboundedSender<Input>,
    woken: PipeReader,
    shared: Arc<Shared>,
    rescue: Rescue,
}

impl Thread {
    fn run(mut self) {
        let end = self.read();
        self.shared.lock().ended = true;
        self.shared.changed.notify_all();
        if matches!(end, End::Hangup) {
            // Without a receiver the loop has ended already.
            let _ = self.sender.send(Input::Hangup);
            std::thread::sleep(GRACE);
            self.rescue.exit(HANGUP);
        }
    }

    fn read(&mut self) -> End {
        let mut decoder = Decoder::default();
        loop {
            let want = self.shared.obey();
            if want == Want::Pause {
                decoder = Decoder::default();
            }
            let ready = match self.wait(want, decoder.patience()) {
                Ok(ready) => ready,
                Err(Errno::INTR) => continue,
                Err(_) => return End::Hangup,
            };
            let end = match ready {
                Ready::Gone => Some(End::Hangup),
                Ready::Woken => self.answer(),
                Ready::Readable => self.take(&mut decoder),
                Ready::Nothing => self.pass_on(decoder.give_up()),
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// Waits for the terminal, for a call from the handle, or until patience ends.
    fn wait(&self, want: Want, patience: Option<Duration>) -> Result<Ready, Errno> {
        let events = if want == Want::Read { PollFlags::IN } else { PollFlags::empty() };
        let terminal = stdin();
        let mut fds = [PollFd::new(&terminal, events), PollFd::new(&self.woken, PollFlags::IN)];
        let timeout = patience.and_then(|patience| Timespec::try_from(patience).ok());
        poll(&mut fds, timeout.as_ref())?;
        Ok(if !fds[1].revents().is_empty() {
            Ready::Woken
        } else if fds[0].revents().intersects(GONE) {
            Ready::Gone
        } else if fds[0].revents().contains(PollFlags::IN) {
            Ready::Readable
        } else {
            Ready::Nothing
        })
    }

    /// The handle called, or was dropped.
    fn answer(&mut self) -> Option<End> {
        match self.woken.read(&mut [0; 64]) {
            Ok(0) | Err(_) => Some(End::Dismissed),
            Ok(_) => None,
        }
    }

    fn take(&self, decoder: &mut Decoder) -> Option<End> {
        let mut bytes = [0; 4096];
        match rustix::io::read(stdin(), &mut bytes) {
            Ok(0) => Some(End::Hangup),
            Ok(length) => self.pass_on(decoder.feed(&bytes[..length])),
            Err(Errno::INTR | Errno::AGAIN) => None,
            Err(_) => Some(End::Hangup),
        }
    }

    fn pass_on(&self, inputs: Vec<Input>) -> Option<End> {
        let gone = inputs.into_iter().any(|input| self.sender.send(input).is_err());
        gone.then_some(End::Dismissed)
    }
}

/// What ended the wait.
enum Ready {
    Gone,
    Woken,
    Readable,
    Nothing,
}
