//! Who has the next turn, and what happens between turns.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use counterfoil::command::Policy;
use counterfoil::gateway::Finality;
use counterfoil::id::PaymentId;
use counterfoil_sandbox::Sandbox;

use super::client::{Client, Shelf};
use super::dice::Dice;
use super::gateway::FarGateway;
use super::machine::{Machine, Parts};
use super::notifications::{NotificationQueue, tick};
use super::operator::Operator;
use super::service::Orders;
use super::store::FarStore;
use super::trouble::Trouble;
use super::watch::Watch;
use super::world::World;
use super::{Setup, Simulation};
use crate::fixtures;

/// How many turns those have who may end what they began.
const LAST_TURNS: u64 = 400;
const MACHINES: usize = 2;

/// Whose payments they are.
const TENANTS: [&str; 2] = ["acme", "globex"];

/// A simulation that runs.
pub(super) struct Run {
    pub(super) world: Arc<World>,
    pub(super) watch: Arc<Watch>,
    pub(super) sandbox: Arc<Sandbox>,
    pub(super) gateway: Arc<FarGateway>,
    pub(super) machines: [Machine; MACHINES],
    pub(super) clients: Vec<Arc<Client>>,
    pub(super) operator: Arc<Operator>,
    pub(super) notifications: Arc<NotificationQueue>,
    pub(super) orders: Option<Rc<Orders>>,
    shelves: [Shelf; 2],
    dice: Dice,
    tasks: Vec<Task>,
}

struct Task {
    role: Role,
    ready_at: u64,
    future: Pin<Box<dyn Future<Output = ()>>>,
}

/// What a task is there for.
#[derive(Debug, Clone, Copy)]
enum Role {
    /// What this client asks for, on its machine.
    Client(usize),
    /// The operator.
    Operator,
    /// What is due, on this machine.
    Due(usize),
    /// The gateway's webhook.
    Notifications,
    /// The service of whoever simulates.
    Service,
}

impl Role {
    /// The machine that it runs on.
    const fn machine(self) -> usize {
        match self {
            Role::Client(number) | Role::Due(number) => number % MACHINES,
            Role::Notifications => 0,
            Role::Operator | Role::Service => 1,
        }
    }

    const fn code(self) -> u64 {
        match self {
            Role::Client(number) => number as u64,
            Role::Due(number) => 50 + number as u64,
            Role::Notifications => 60,
            Role::Service => 61,
            Role::Operator => 62,
        }
    }
}

impl Run {
    pub(super) fn new(simulation: &Simulation, setup: &Setup) -> Run {
        let world = Arc::new(World::new(simulation));
        let mut dice = Dice::new(simulation.seed, 2);
        let sandbox = Arc::new(sandbox(simulation.seed, &world, &mut dice));
        let inner = setup.gateway(sandbox.clone());
        let gateway = Arc::new(FarGateway::new(world.clone(), inner));
        let watch = Arc::new(Watch::new(setup.store()));
        let store = Arc::new(FarStore { world: world.clone(), watch: watch.clone() });
        let parts = Parts { store, gateway: gateway.clone(), policy: policy(&mut dice) };
        let machines = [0, 1].map(|number| Machine::new(&world, number, &parts));
        let shelves = [Shelf::default(), Shelf::default()];
        let count = 2 + dice.below(3);
        let client = |number: u64| {
            let place = usize::from(number == 3);
            let caller = fixtures::caller(TENANTS[place]);
            Arc::new(Client::new(simulation.seed, number, caller, shelves[place].clone()))
        };
        let clients = (0..count).map(client).collect();
        let tenants = [0, 1].map(|place| (TENANTS[place], shelves[place].clone()));
        let operator = Arc::new(Operator::new(simulation.seed, sandbox.clone(), tenants));
        let notifications = Arc::new(NotificationQueue::new(simulation.seed));
        let orders = setup.service().map(|service| Rc::new(Orders::new(service)));
        let tasks = Vec::new();
        Run {
            world,
            watch,
            sandbox,
            gateway,
            machines,
            clients,
            operator,
            notifications,
            orders,
            shelves,
            dice,
            tasks,
        }
    }

    /// Turns, as many as were asked for; then some of those who are at something may end it.
    pub(super) fn play(&mut self, steps: u64) {
        self.begin(None);
        for _ in 0..steps {
            self.between();
            self.turn();
            if self.world.is_broken() {
                return;
            }
        }
        self.world.close();
        if self.dice.one_in(2) {
            for _ in 0..LAST_TURNS {
                if self.tasks.is_empty() || self.world.is_broken() {
                    break;
                }
                tick(&self.world, &mut self.dice);
                self.turn();
            }
        }
        // Whatever is left: the last crash.
        self.tasks.clear();
    }

    /// Gives somebody who is ready a turn.
    fn turn(&mut self) {
        let ready_at = self.tasks.iter().map(|task| task.ready_at).min().unwrap_or(0);
        let step = (self.world.step() + 1).max(ready_at);
        self.world.set_step(step);
        let ready = self.tasks.iter().filter(|task| task.ready_at <= step).count() as u64;
        let mut left = self.dice.below(ready);
        let chosen = self.tasks.iter().position(|task| {
            let is_ready = task.ready_at <= step;
            let is_it = is_ready && left == 0;
            left = left.saturating_sub(u64::from(is_ready));
            is_it
        });
        let Some(place) = chosen else { return };
        let task = &mut self.tasks[place];
        self.world.note(task.role.code(), || format!("{:?}", task.role));
        match self.world.ask(task.future.as_mut()) {
            Ok(()) => drop(self.tasks.swap_remove(place)),
            Err(ready_at) => task.ready_at = ready_at,
        }
    }

    /// What happens of itself.
    fn between(&mut self) {
        tick(&self.world, &mut self.dice);
        let happens = self.dice.below(10) == 0;
        if happens {
            let payments = self.payments();
            self.notifications.act_outside(&self.world, &self.sandbox, &payments);
        }
        self.world.finish(self.gateway.deliver());
        if self.world.strikes(Trouble::Skew, 60) {
            let place = usize::from(self.dice.one_in(2));
            let micros = i64::try_from(self.dice.below(3_000_000)).unwrap_or(0) - 1_500_000;
            self.machines[place].set_clock(micros);
        }
        if self.world.strikes(Trouble::Crash, 50) {
            let place = usize::from(self.dice.one_in(2));
            self.crash(place);
        }
    }

    /// All that a machine was at is over, wherever it was.
    fn crash(&mut self, machine: usize) {
        self.world.note(0xc4, || format!("machine {machine} crashes"));
        self.tasks.retain(|task| task.role.machine() != machine);
        self.machines[machine].start_again();
        self.begin(Some(machine));
    }

    /// Starts what runs on this machine, or on all.
    fn begin(&mut self, machine: Option<usize>) {
        let clients = (0..self.clients.len()).map(Role::Client);
        let service = self.orders.iter().map(|_| Role::Service);
        let roles =
            clients.chain([Role::Operator, Role::Due(0), Role::Due(1), Role::Notifications]).chain(service);
        let meant = roles.filter(|role| machine.is_none_or(|machine| role.machine() == machine));
        let tasks: Vec<Task> =
            meant.map(|role| Task { role, ready_at: 0, future: self.future(role) }).collect();
        self.tasks.extend(tasks);
    }

    fn future(&self, role: Role) -> Pin<Box<dyn Future<Output = ()>>> {
        let world = self.world.clone();
        let own = self.machines[role.machine()].ledger().clone();
        match role {
            Role::Client(number) => {
                let other = self.machines[1 - role.machine()].ledger().clone();
                let client = self.clients[number].clone();
                Box::pin(async move { client.work(&world, &own, &other).await })
            }
            Role::Operator => {
                let operator = self.operator.clone();
                Box::pin(async move { operator.work(&world, &own).await })
            }
            Role::Due(number) => {
                let pace = 2 + 6 * number as u64;
                Box::pin(async move {
                    while !world.is_closing() {
                        world.wait(pace).await;
                        // What fails is due again.
                        let _ = own.run_due(20).await;
                    }
                })
            }
            Role::Notifications => {
                let (notifications, sandbox) = (self.notifications.clone(), self.sandbox.clone());
                Box::pin(async move { notifications.work(&world, &sandbox, &own).await })
            }
            Role::Service => {
                let orders = self.orders.clone();
                Box::pin(async move {
                    if let Some(orders) = orders {
                        orders.work(&world, &own).await;
                    }
                })
            }
        }
    }

    /// Every payment that a client knows of.
    fn payments(&self) -> Vec<PaymentId> {
        let shelves = self.shelves.iter().map(|shelf| shelf.lock().unwrap_or_else(PoisonError::into_inner));
        shelves.flat_map(|shelf| shelf.clone()).collect()
    }
}

fn sandbox(seed: u64, world: &Arc<World>, dice: &mut Dice) -> Sandbox {
    let hostile = world.allows(Trouble::Adversary);
    let sandbox = if hostile { Sandbox::adversarial(seed) } else { Sandbox::new() };
    if hostile {
        world.count(Trouble::Adversary);
    }
    let finality = match dice.below(3) {
        0 => Finality::Never,
        1 => Finality::After(Duration::ZERO),
        _ => Finality::After(Duration::from_secs(600)),
    };
    let sandbox = sandbox.with_clock(world.clock.clone()).with_finality(finality);
    let sandbox = if dice.one_in(4) { sandbox.without_capture_reversals() } else { sandbox };
    if dice.one_in(2) { sandbox.with_notifications() } else { sandbox }
}

fn policy(dice: &mut Dice) -> Policy {
    let mut policy = Policy::default().with_polls([5, 60, 300, 3_600, 86_400].map(Duration::from_secs));
    if dice.one_in(2) {
        // The schedule that the model knows.
        policy = policy.with_retries(fixtures::retrying().retries);
    }
    if dice.one_in(2) {
        policy = policy.charging_beside_doubt();
    }
    if dice.one_in(2) {
        policy = policy.owing_charged_back();
    }
    if dice.one_in(2) {
        policy = policy.processing_failed();
    }
    policy
}
