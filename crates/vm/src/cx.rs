//! What a transfer function has at hand besides the state.

use bpfvet_insn::{InsnIdx, Reg};

use crate::effects::{Demand, Effects};
use crate::facts::Facts;
use crate::memo::Memo;
use crate::state::IdGen;
use crate::value::{ObjectId, PacketId, ScalarId};
use crate::violation::Place;
use crate::{ScalarValue, State, Value};
use bpfvet_domain::Domain;

/// What a transfer function has at hand besides the state.
pub(crate) struct Cx<'a, 'f, D> {
    /// What does not change.
    pub(crate) facts: &'a Facts<'f>,
    /// What outlives the path.
    pub(crate) memo: &'a mut Memo,
    /// Source of identities.
    pub(crate) ids: &'a mut IdGen,
    /// What the step tells its caller.
    pub(crate) fx: &'a mut Effects<D>,
    /// The instruction.
    pub(crate) at: InsnIdx,
}

impl<D: Domain> Cx<'_, '_, D> {
    /// A fresh identity of an object.
    pub(crate) fn new_object(&mut self) -> ObjectId {
        ObjectId(self.ids.next())
    }

    /// A fresh identity of a packet range.
    pub(crate) fn new_packet(&mut self) -> PacketId {
        PacketId(self.ids.next())
    }

    /// A fresh identity of a group of equal scalars.
    pub(crate) fn new_scalar(&mut self) -> ScalarId {
        ScalarId(self.ids.next())
    }

    /// A number that can be anything, precise where nothing may be forgotten.
    pub(crate) fn unknown(&self) -> Value<D> {
        self.scalar(D::unknown())
    }

    /// This number, precise where nothing may be forgotten.
    pub(crate) fn scalar(&self, num: D) -> Value<D> {
        Value::Scalar(ScalarValue { num, link: None, precise: self.facts.scalars_precise() })
    }

    /// What becomes of a pointer that may no longer be used: a number where pointers may leak, unreadable otherwise.
    pub(crate) fn invalidated(&self) -> Value<D> {
        if self.facts.may_leak() { self.unknown() } else { Value::Uninit }
    }

    /// Notes that a register's exact value was relied upon, if it is a number.
    pub(crate) fn demand(&mut self, state: &State<D>, reg: Reg) {
        if state.reg(reg).is_scalar() {
            self.fx.demand_reg(state.depth(), reg);
        }
    }

    /// The same of an argument, wherever it is passed.
    pub(crate) fn demand_at(&mut self, state: &State<D>, place: Place) {
        match place {
            Place::Reg(reg) => self.demand(state, reg),
            Place::StackArg(slot) => self.fx.demands.push(Demand::StackArg { frame: state.depth(), slot }),
        }
    }

    /// Whether a pointer in this value would leak: it is one, and leaks are not allowed.
    pub(crate) fn leaks(&self, value: &Value<D>) -> bool {
        value.is_pointer() && !self.facts.may_leak()
    }
}
