//! What all parts of a simulation share: its time, its luck, and whose turn it is.

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use counterfoil::clock::{Clock, Timestamp};

use super::Simulation;
use super::dice::Dice;
use super::trouble::{Trouble, Troubles};
use crate::clock::ManualClock;

/// How many kinds of trouble there are.
const KINDS: usize = Trouble::ALL.len();

/// The steps of a delay.
const LONGEST_DELAY: u64 = 40;

#[derive(Debug)]
pub(super) struct World {
    /// The true time; every machine has a clock of its own that may differ a little.
    pub(super) clock: Arc<ManualClock>,
    step: AtomicU64,
    /// When whoever is asked now wants to be asked again.
    wakes_at: AtomicU64,
    is_closing: AtomicBool,
    is_calm: AtomicBool,
    luck: Mutex<Luck>,
}

#[derive(Debug)]
struct Luck {
    dice: Dice,
    /// What may happen, by the simulation.
    allowed: Troubles,
    /// What happens under this seed at all, so that seeds differ.
    usual: u64,
    struck: [u64; KINDS],
    trace: u64,
    story: Option<Vec<String>>,
    broken: Option<String>,
}

impl World {
    pub(super) fn new(simulation: &Simulation) -> World {
        let mut dice = Dice::new(simulation.seed, 1);
        // Of three kinds two.
        let usual = dice.any() | dice.any();
        let luck = Luck {
            dice,
            allowed: simulation.troubles,
            usual,
            struck: [0; KINDS],
            trace: 0,
            story: simulation.tells.then(Vec::new),
            broken: None,
        };
        World {
            clock: Arc::default(),
            step: AtomicU64::new(0),
            wakes_at: AtomicU64::new(0),
            is_closing: AtomicBool::new(false),
            is_calm: AtomicBool::new(false),
            luck: Mutex::new(luck),
        }
    }

    fn luck(&self) -> MutexGuard<'_, Luck> {
        self.luck.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    pub(super) fn step(&self) -> u64 {
        self.step.load(Ordering::Relaxed)
    }

    pub(super) fn set_step(&self, step: u64) {
        self.step.store(step, Ordering::Relaxed);
    }

    /// From now on nobody begins anything.
    pub(super) fn close(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Relaxed)
    }

    /// From now on nothing goes wrong, and nobody waits.
    pub(super) fn calm_down(&self) {
        self.is_calm.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_calm(&self) -> bool {
        self.is_calm.load(Ordering::Relaxed)
    }

    /// Whether trouble that strikes once in so many times strikes now; if so, it is counted.
    pub(super) fn strikes(&self, trouble: Trouble, one_in: u64) -> bool {
        if self.is_calm() {
            return false;
        }
        let luck = &mut *self.luck();
        let strikes = luck.dice.one_in(one_in) && luck.allows(trouble);
        if strikes {
            luck.count(trouble);
        }
        strikes
    }

    /// Whether there is such trouble in this simulation at all.
    pub(super) fn allows(&self, trouble: Trouble) -> bool {
        self.luck().allows(trouble)
    }

    /// That it struck.
    pub(super) fn count(&self, trouble: Trouble) {
        self.luck().count(trouble);
    }

    pub(super) fn struck(&self) -> impl Iterator<Item = (Trouble, u64)> {
        let struck = self.luck().struck;
        Trouble::ALL.iter().copied().zip(struck).filter(|(_, times)| *times > 0)
    }

    /// Others go first, often only a little, sometimes much.
    pub(super) fn pause(&self) -> Pause<'_> {
        let steps =
            if self.strikes(Trouble::Delay, 10) { 1 + self.luck().dice.below(LONGEST_DELAY) } else { 1 };
        self.wait(steps)
    }

    /// Others go first, for so many steps.
    pub(super) fn wait(&self, steps: u64) -> Pause<'_> {
        let steps = if self.is_calm() { 0 } else { steps };
        Pause { world: self, until: self.step().saturating_add(steps) }
    }

    /// Asks somebody whose turn it is. `Err`: not ready, and not before this step.
    pub(super) fn ask<T>(&self, future: Pin<&mut dyn Future<Output = T>>) -> Result<T, u64> {
        self.wakes_at.store(u64::MAX, Ordering::Relaxed);
        match future.poll(&mut Context::from_waker(std::task::Waker::noop())) {
            Poll::Ready(answer) => Ok(answer),
            Poll::Pending => {
                let wakes_at = self.wakes_at.load(Ordering::Relaxed);
                // Whoever waits for something else than a turn is asked again.
                Err(if wakes_at == u64::MAX { 0 } else { wakes_at })
            }
        }
    }

    /// Carries something to its end that takes no turns.
    pub(super) fn finish<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        loop {
            if let Ok(answer) = self.ask(future.as_mut()) {
                return answer;
            }
        }
    }

    /// Writes down what happened: into the trace, which is the same whenever the simulation is, and into the
    /// story, if one is told.
    pub(super) fn note(&self, code: u64, words: impl FnOnce() -> String) {
        let (step, now) = (self.step(), self.now());
        let luck = &mut *self.luck();
        luck.mix(code);
        if let Some(story) = &mut luck.story {
            story.push(format!("{step:>5}  {now}  {}", words()));
        }
    }

    /// Whether a story is told.
    pub(super) fn tells(&self) -> bool {
        self.luck().story.is_some()
    }

    pub(super) fn trace(&self) -> u64 {
        self.luck().trace
    }

    pub(super) fn take_story(&self) -> Vec<String> {
        self.luck().story.take().unwrap_or_default()
    }

    /// Something does not hold: the first such thing ends the simulation.
    pub(super) fn break_with(&self, what: impl fmt::Display) {
        let what = what.to_string();
        self.note(0xb0, || what.clone());
        self.luck().broken.get_or_insert(what);
    }

    pub(super) fn broken(&self) -> Option<String> {
        self.luck().broken.clone()
    }

    pub(super) fn is_broken(&self) -> bool {
        self.luck().broken.is_some()
    }
}

impl Luck {
    fn allows(&self, trouble: Trouble) -> bool {
        self.allowed.has(trouble) && self.usual & (1 << trouble as u32) != 0
    }

    fn count(&mut self, trouble: Trouble) {
        self.struck[trouble as usize] += 1;
        self.mix(trouble as u64);
    }

    fn mix(&mut self, code: u64) {
        self.trace = (self.trace ^ code).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29);
    }
}

/// Waits until others have had so many turns.
#[derive(Debug)]
pub(super) struct Pause<'a> {
    world: &'a World,
    until: u64,
}

impl Future for Pause<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.world.step() >= self.until || self.world.is_calm() {
            return Poll::Ready(());
        }
        self.world.wakes_at.fetch_min(self.until, Ordering::Relaxed);
        Poll::Pending
    }
}
