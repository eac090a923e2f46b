//! Programs that are accepted more often than not, and that do something worth running.
//!
//! A program is made of statements; each knows which registers hold numbers and which slots hold what. Pointers are checked
//! before they are used, and now and then almost: a bound that is one too high or a check that is missing is what a verifier
//! must notice, so some statements leave it to chance.
//!
//! | register | use |
//! | --- | --- |
//! | `r0` to `r5` | numbers, and pointers within a statement |
//! | `r6` | the context, or the first argument |
//! | `r7` | a number that calls preserve |
//! | `r8` | a pointer to a map value, once one was found |
//! | `r9` | the counter of the loop that runs |

mod access;
mod arithmetic;
mod control;
mod host;
mod rounds;
mod single;
mod types;
mod ways;
mod weights;

use bpfvet::platform::{FieldKind, LoadRequest, MapDef, MapField, MapKind, Privilege, ProgramType};
use bpfvet_insn::{AluOp, Call, CmpOp, ImmSource, Insn, InsnIdx, Operand, Program, Reg, Size, Width};

use crate::machine::Choices;

pub use weights::{Statement, Weights};

/// Types with contexts that the machine models.
const TYPES: [ProgramType; 4] =
    [ProgramType::SOCKET_FILTER, ProgramType::XDP, ProgramType::SCHED_CLS, ProgramType::KPROBE];

/// Positions of the maps in every request.
const ARRAY: i32 = 0;
const HASH: i32 = 1;
const RINGBUF: i32 = 2;
const DEEP: i32 = 3;
const PROGRAMS: i32 = 4;
const LOCKED: i32 = 5;
const TIMED: i32 = 6;
/// Bytes of a value of the array and the hash.
const VALUE_SIZE: u32 = 48;
/// Bytes of a value with a lock or a timer.
const SPECIAL_SIZE: u32 = 32;
/// Slots of stack that statements use.
const SLOTS: u32 = 12;

const R0: Reg = Reg::R0;
const R1: Reg = Reg::R1;
const R2: Reg = Reg::R2;
const R3: Reg = Reg::R3;
const R4: Reg = Reg::R4;
const R5: Reg = Reg::R5;
const R6: Reg = Reg::R6;
const R7: Reg = Reg::R7;
const R8: Reg = Reg::R8;
const R9: Reg = Reg::R9;
const FP: Reg = Reg::FP;

/// What a slot of the stack holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Held {
    /// A number, or nothing that matters.
    #[default]
    Number,
    /// What `r6` holds.
    Context,
    /// What `r8` holds.
    Value,
}

/// What is known where the next statement goes.
#[derive(Clone, Debug)]
struct Known {
    /// Registers that hold numbers, by number.
    numbers: [bool; 10],
    /// `r8` points to a map value.
    value: bool,
    slots: [Held; SLOTS as usize],
}

impl Known {
    /// What is known where two paths meet.
    fn meet(&mut self, other: &Self) {
        for (mine, theirs) in self.numbers.iter_mut().zip(other.numbers) {
            *mine &= theirs;
        }
        self.value &= other.value;
        for (mine, theirs) in self.slots.iter_mut().zip(other.slots) {
            if *mine != theirs {
                *mine = Held::Number;
            }
        }
    }

    fn has_number(&self, reg: Reg) -> bool {
        self.numbers.get(reg.index()).copied().unwrap_or(false)
    }

    fn set_number(&mut self, reg: Reg, is: bool) {
        if let Some(place) = self.numbers.get_mut(reg.index()) {
            *place = is;
        }
    }

    /// A call overwrites `r0` to `r5`; `r0` holds a number.
    fn called(&mut self) {
        self.numbers.iter_mut().take(6).for_each(|number| *number = false);
        self.set_number(R0, true);
    }
}

/// What a function is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Role {
    Entry,
    /// Called with a number in `r1` and a pointer to 16 bytes of stack in `r2`.
    Called,
    /// Run by a helper; the same, and returns 0 or 1.
    Callback,
    /// Verified on its own; given a number and sixteen bytes or nothing.
    Global,
    /// The same, given the context: it makes the packet move.
    Mover,
    /// Returns the number that it is given.
    Same,
    /// Uses the number that it is given as an offset.
    User,
    /// Returns one number or another; the other may be anything.
    Chooses(i32, Option<i32>),
    /// Run by a helper: adds to a number in the stack, and perhaps keeps it small.
    Grows(i32, bool),
    /// Run later for a value of a map, of which it may read too much.
    Later(bool),
    /// Run by a helper for each value of a map, of which it may read too much.
    Element(bool),
    /// Given the context, loads from the packet.
    Loads,
    /// Given the context, lets another program take over.
    Hands,
}

/// A program in the making.
struct Maker<'c, 'a> {
    choices: &'c mut Choices<'a>,
    weights: &'c Weights,
    kind: ProgramType,
    code: Vec<Insn>,
    known: Known,
    role: Role,
    /// Loops around the next statement.
    loops: u32,
    /// Blocks around the next statement.
    depth: u32,
    /// Functions asked for, besides the entry function.
    asked: Vec<Role>,
    /// Statements left.
    budget: u32,
}

/// The request for a generated program of one of a few types, with the maps of [`request`].
#[must_use]
pub fn generate(choices: &mut Choices<'_>) -> LoadRequest {
    generate_of(choices, &Weights::default())
}

/// The same, made of statements in these proportions.
#[must_use]
pub fn generate_of(choices: &mut Choices<'_>, weights: &Weights) -> LoadRequest {
    let kind = choices.pick(&TYPES);
    let watched = kind != ProgramType::KPROBE && choices.one_in(weights.watched);
    let mut functions: Vec<Vec<Insn>> = Vec::new();
    let mut roles = vec![Role::Entry];
    let mut next = 0;
    while let Some(role) = roles.get(next).copied() {
        let known = Known { numbers: [false; 10], value: false, slots: Default::default() };
        let budget = if role == Role::Entry { 3 + choices.below(weights.length()) } else { 1 + choices.below(5) };
        let asked = roles.clone();
        let choices = &mut *choices;
        let mut maker =
            Maker { choices, weights, kind, code: Vec::new(), known, role, loops: 0, depth: 0, asked, budget };
        maker.function();
        let Maker { code, asked, .. } = maker;
        roles = asked;
        functions.push(code);
        next += 1;
    }
    let starts = functions.iter().scan(0, |at, code| {
        let start = InsnIdx(*at);
        *at += code.iter().map(Insn::slots).sum::<u32>();
        Some(start)
    });
    let (btf, funcs) = types::of(kind, starts.zip(roles));
    let mut request = request(kind, link(functions));
    request.btf = btf;
    request.funcs = funcs;
    if watched {
        request.privilege = Privilege { perfmon: false, sys_admin: false, ..Privilege::FULL };
    }
    request
}

/// A request for this program with the maps that generated ones use.
#[must_use]
pub fn request(kind: ProgramType, program: Program) -> LoadRequest {
    let mut request = LoadRequest::new("generated", kind, program);
    let array = MapDef::new("array", MapKind::ARRAY, 4, VALUE_SIZE, 4);
    let mut deep = MapDef::new("deep", MapKind::ARRAY_OF_MAPS, 4, 4, 4);
    deep.inner = Some(Box::new(array.clone()));
    request.maps = vec![
        array,
        MapDef::new("hash", MapKind::HASH, 8, VALUE_SIZE, 64),
        MapDef::new("ringbuf", MapKind::RINGBUF, 0, 0, 4096),
        deep,
        MapDef::new("programs", MapKind::PROG_ARRAY, 4, 4, 4),
    ];
    // Not all types may have locks and timers.
    if matches!(kind, ProgramType::XDP | ProgramType::SCHED_CLS) {
        for (name, kind, size) in [("locked", FieldKind::SpinLock, 4), ("timed", FieldKind::Timer, 16)] {
            let mut map = MapDef::new(name, MapKind::ARRAY, 4, SPECIAL_SIZE, 2);
            map.fields.push(MapField { kind, offset: 0, size, pointee: 0, node: 0 });
            map.btf_value = 1;
            request.maps.push(map);
        }
    }
    request
}

/// Puts functions one after another; until then calls and addresses name a function by its position.
fn link(functions: Vec<Vec<Insn>>) -> Program {
    let size = |code: &Vec<Insn>| code.iter().map(Insn::slots).sum::<u32>();
    let mut starts = vec![0_u32];
    for code in &functions {
        starts.push(starts.last().copied().unwrap_or(0) + size(code));
    }
    let mut linked = Vec::new();
    let mut at = 0_u32;
    for insn in functions.into_iter().flatten() {
        let distance = |function: i32| {
            let start = usize::try_from(function).ok().and_then(|function| starts.get(function)).copied().unwrap_or(0);
            i64::from(start) - i64::from(InsnIdx(at).next().0)
        };
        let to = |function: i32| i32::try_from(distance(function)).unwrap_or(0);
        let slots = insn.slots();
        linked.push(if let Insn::Call(Call::Subprog(function)) = insn {
            Insn::Call(Call::Subprog(to(function)))
        } else if let Insn::LoadImm64 { dst, imm: ImmSource::Func(function) } = insn {
            Insn::LoadImm64 { dst, imm: ImmSource::Func(to(function)) }
        } else {
            insn
        });
        at += slots;
    }
    Program::from_insns(linked)
}

impl Maker<'_, '_> {
    fn function(&mut self) {
        match self.role {
            Role::Entry => {
                self.mov(R6, R1);
                self.mov_imm(R7, 0);
                self.mov_imm(R0, 0);
                for slot in 0..SLOTS {
                    self.store_imm(FP, slot_at(slot), Size::B8, 0);
                }
                self.body();
            }
            Role::Called | Role::Callback => {
                self.mov(R7, R1);
                self.mov(R6, R2);
                self.mov_imm(R0, 0);
                self.body();
            }
            Role::Global => {
                self.mov(R7, R1);
                self.mov(R6, R2);
                self.mov_imm(R0, 0);
                self.push(Insn::Branch { width: Width::W64, op: CmpOp::Ne, dst: R6, src: Operand::Imm(0), off: 1 });
                self.push(Insn::Exit);
                let size = self.size();
                let room = types::GIVEN - size.bytes() + u32::from(self.slip(20));
                let off = i16::try_from(self.choices.below(room + 1)).unwrap_or(0);
                self.push(Insn::Load { dst: R7, base: R6, off, size, signed: false });
                self.push(Insn::Store { base: R6, off, size, src: Operand::Reg(R7) });
                self.body();
            }
            Role::Mover => self.moves(),
            // A register that the caller wrote is none that can be read here.
            Role::Same => {
                let from = if self.slip(16) { R7 } else { R1 };
                self.mov(R0, from);
            }
            Role::User => {
                self.mov(R2, FP);
                self.add(R2, R1);
                self.push(Insn::Load { dst: R0, base: R2, off: -64, size: Size::B1, signed: false });
            }
            Role::Chooses(good, other) => self.choose(good, other),
            Role::Grows(step, masked) => {
                self.push(Insn::Load { dst: R3, base: R2, off: 0, size: Size::B8, signed: false });
                self.alu_imm(AluOp::Add, R3, step);
                if masked {
                    self.alu_imm(AluOp::And, R3, 63);
                }
                self.push(Insn::Store { base: R2, off: 0, size: Size::B8, src: Operand::Reg(R3) });
                self.mov_imm(R0, 0);
            }
            Role::Later(wrong) => {
                self.element(SPECIAL_SIZE, wrong);
                self.mov_imm(R0, 0);
            }
            Role::Element(wrong) => {
                self.element(VALUE_SIZE, wrong);
                self.mov_imm(R0, 0);
            }
            Role::Loads => self.loads(),
            Role::Hands => self.hand_over(),
        }
        self.push(Insn::Exit);
    }

    /// Statements, and a result.
    fn body(&mut self) {
        self.known.set_number(R7, true);
        self.known.set_number(R0, true);
        while self.budget > 0 {
            self.statement();
        }
        // Only a number may be returned, and by a callback only some.
        if self.known.has_number(R7) && self.role != Role::Callback {
            self.mov(R0, R7);
        } else {
            self.mov_imm(R0, 0);
        }
        if self.role == Role::Callback && self.choices.one_in(2) {
            self.mov(R0, R7);
            let mask = if self.slip(20) { 3 } else { 1 };
            self.alu_imm(AluOp::And, R0, mask);
        }
    }

    fn statement(&mut self) {
        self.budget = self.budget.saturating_sub(1);
        let number = self.choices.bits();
        match self.weights.pick(number) {
            Statement::Arithmetic => self.arithmetic(),
            Statement::Outside => self.number_from_outside(),
            Statement::Stack => self.stack(),
            Statement::Spill => self.spill_or_fill(),
            Statement::Narrow => self.narrow(),
            Statement::VariableStack => self.variable_stack(),
            Statement::Linked => self.linked(),
            Statement::LookUp => self.look_up(),
            Statement::MapValue => self.map_value(),
            Statement::InnerMap => self.inner_map(),
            Statement::Atomic => self.atomic(),
            Statement::Packet => self.packet(),
            Statement::MovePacket => self.move_packet(),
            Statement::PacketLoad => self.packet_load(),
            Statement::Fill => self.fill(),
            Statement::Record => self.record(),
            Statement::Socket => self.socket(),
            Statement::Lock => self.lock(),
            Statement::Timer => self.timer(),
            Statement::Branch => self.branch(),
            Statement::Repeat => self.repeat(),
            Statement::Call => self.call(),
            Statement::ForEach => self.for_each(),
            Statement::TailCall => self.tail_call(),
            Statement::Ways => self.ways(),
            Statement::Growth => self.growth(),
            Statement::MovedEarly => self.moved_early(),
            Statement::Backwards => self.backwards(),
            Statement::Apart => self.apart(),
            Statement::Part => self.part(),
            Statement::Unwritten => self.unwritten(),
        }
    }

    /// A mistake is made here, one time in `usual` if programs are not daring.
    fn slip(&mut self, usual: u32) -> bool {
        self.choices.one_in((usual / self.weights.daring.max(1)).max(2))
    }

    /// A function of this kind, by position: one that was asked for already, or another.
    fn ask(&mut self, role: Role) -> i32 {
        // A function may call only later ones, so that no call leads back.
        let known = self.asked.iter().skip(1).position(|asked| *asked == role).map(|position| position + 1);
        let position = match known {
            Some(position) if self.role == Role::Entry => position,
            Some(_) | None => {
                self.asked.push(role);
                self.asked.len() - 1
            }
        };
        i32::try_from(position).unwrap_or(0)
    }

    /// Calls a function of this kind with what the first two registers hold.
    fn ask_and_call(&mut self, role: Role) {
        let function = self.ask(role);
        self.push(Insn::Call(Call::Subprog(function)));
        self.known.called();
    }

    fn address_of(&mut self, dst: Reg, function: i32) {
        self.push(Insn::LoadImm64 { dst, imm: ImmSource::Func(function) });
    }

    fn push(&mut self, insn: Insn) {
        self.code.push(insn);
    }

    fn mov(&mut self, dst: Reg, src: Reg) {
        self.push(Insn::Mov { width: Width::W64, dst, src: Operand::Reg(src) });
    }

    fn mov_imm(&mut self, dst: Reg, imm: i32) {
        self.push(Insn::Mov { width: Width::W64, dst, src: Operand::Imm(imm) });
    }

    fn alu_imm(&mut self, op: AluOp, dst: Reg, imm: i32) {
        self.push(Insn::Alu { width: Width::W64, op, dst, src: Operand::Imm(imm) });
    }

    fn add(&mut self, dst: Reg, src: Reg) {
        self.push(Insn::Alu { width: Width::W64, op: AluOp::Add, dst, src: Operand::Reg(src) });
    }

    fn store_imm(&mut self, base: Reg, off: i16, size: Size, imm: i32) {
        self.push(Insn::Store { base, off, size, src: Operand::Imm(imm) });
    }

    fn load_map(&mut self, dst: Reg, map: i32) {
        self.push(Insn::LoadImm64 { dst, imm: ImmSource::MapFd(map) });
    }

    fn helper(&mut self, id: i32) {
        self.push(Insn::Call(Call::Helper(id)));
        self.known.called();
    }

    /// A register that holds a number; `r7` where no other does.
    fn number(&mut self) -> Reg {
        let at = self.choices.below(8);
        let found = (0..8).filter_map(|n| Reg::new(u8::try_from((at + n) % 8).unwrap_or(0)));
        found.into_iter().find(|reg| self.known.has_number(*reg)).unwrap_or(R7)
    }

    /// A register that may be overwritten.
    fn scratch(&mut self) -> Reg {
        self.choices.pick(&[R0, R1, R2, R3, R4, R5, R7])
    }

    fn size(&mut self) -> Size {
        self.choices.pick(&[Size::B1, Size::B2, Size::B4, Size::B8])
    }

    /// Skips what `body` emits when `skip`, an instruction made from a distance, says so; what both ways know is known after.
    fn guarded(&mut self, skip: impl FnOnce(i16) -> Insn, body: impl FnOnce(&mut Self)) {
        let around = self.known.clone();
        let outer = std::mem::take(&mut self.code);
        self.depth += 1;
        body(self);
        self.depth -= 1;
        let inner = std::mem::replace(&mut self.code, outer);
        self.push(skip(distance(&inner)));
        self.code.extend(inner);
        self.known.meet(&around);
    }
}

/// Slots of a block, as a jump over it counts.
fn distance(block: &[Insn]) -> i16 {
    i16::try_from(block.iter().map(Insn::slots).sum::<u32>()).unwrap_or(0)
}

/// Where a slot of the stack begins.
fn slot_at(slot: u32) -> i16 {
    -8 * (i16::try_from(slot).unwrap_or(0) + 1)
}
