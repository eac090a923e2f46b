//! The result: one program's shape.

use alloc::sync::Arc;
use alloc::vec::Vec;

use bpfvet_insn::{Call, Insn, InsnIdx, Program, Reg, RegSet};
use bpfvet_platform::{LoadRequest, Platform};

use crate::blocks::Blocks;
use crate::callee::{Callee, Callees, Control};
use crate::constants::{self, Constants};
use crate::error::Restricted;
use crate::flow::Flow;
use crate::involved::Involved;
use crate::mentions::Mentions;
use crate::order;
use crate::reach::Loops;
use crate::records;
use crate::registers::{self, Registers};
use crate::scc::{self, Components};
use crate::stack::{self, StackEvent, StackLiveness};
use crate::tables::JumpTables;
use crate::{
    Block, BlockId, ConstValue, Dominators, Dot, Instance, Loop, Marks, StackFrame, StackQuery, StructureCause,
    StructureError, Subprog, SubprogId, Targets, dominators, fastcall, reach, subprog,
};

/// The shape of one program: its functions, edges, orders, loops, constants and live registers and stack slots.
#[derive(Clone, Debug)]
pub struct Graph {
    flow: Flow,
    constants: Constants,
    callees_first: Vec<SubprogId>,
    components: Components,
    blocks: Blocks,
    stack: StackLiveness,
    registers: Registers,
    /// Calls that spare registers, with the pairs of spills and fills around them, by ascending position.
    spared: Vec<(InsnIdx, u8)>,
}

impl Graph {
    /// The shape of the program in `request`, as a host sees it.
    ///
    /// # Errors
    ///
    /// The violation that Linux 7.3 finds first, where it looks only at the program's shape.
    pub fn analyze(request: &LoadRequest, platform: &dyn Platform) -> Result<Self, StructureError> {
        let features = platform.features();
        check_length(request, platform)?;
        let mentions = Mentions::of(&request.program);
        let callees = Callees::collect(&mentions, request, platform);
        let mut subprogs = subprog::discover(request, platform, &mentions)?;
        let is_tail_call = |at| match request.program.get(at) {
            Some(Insn::Call(call)) => callees.of(*call).control() == Control::TailCall,
            _ => false,
        };
        subprog::check(&request.program, &mut subprogs, is_tail_call)?;
        note_throws(request, &callees, &mentions, &mut subprogs);
        records::check(request, &subprogs)?;
        let tables = JumpTables::read(request, &mentions)?;
        check_kernel_calls(request, &mentions)?;

        let mut flow = Flow::new(Arc::clone(&request.program), subprogs);
        let loops = match features.bounded_loops() && request.privilege.bpf {
            true if features.loops_entered_anywhere() => Loops::Anywhere,
            true => Loops::AtJumps,
            false => Loops::Refused,
        };
        reach::walk(&mut flow, &callees, &tables, loops)?;

        let mut blocks = Blocks::build(&flow);
        let constants = constants::fold(&flow, &blocks, request, platform);
        if features.dead_branch_pruning()
            && let Some(program) = constants::decide_branches(&flow.program, &blocks, &constants)
        {
            flow.replace(Arc::new(program));
            blocks = Blocks::build(&flow);
        }
        let calls_back = |&(at, _): &(InsnIdx, Call)| flow.marks_at(at).calls_callback();
        let calling_back: Vec<InsnIdx> = mentions.calls(&flow.program).filter(calls_back).map(|(at, _)| at).collect();
        let components = scc::number(&flow, &blocks, &calling_back);
        let blocks = blocks.reached(&flow);
        let callees_first = order::callees_first(&flow, &blocks)?;
        let input = stack::Input {
            flow: &flow,
            blocks: &blocks,
            mentions: &mentions,
            constants: &constants,
            callees: &callees,
            callees_first: &callees_first,
            request,
            call_frames: platform.limits(request.privilege).call_frames,
        };
        let stack = StackLiveness::compute(&input, features.static_liveness()).map_err(StructureError::whole)?;
        let registers = registers::live(&flow, &callees, &blocks);
        let spared = if features.fastcall() { fastcall::find(&mut flow, &callees, &mentions) } else { Vec::new() };
        Ok(Self { flow, constants, callees_first, components, blocks, stack, registers, spared })
    }

    /// The program, with branches that constants decide made jumps.
    #[must_use]
    pub fn program(&self) -> &Arc<Program> {
        &self.flow.program
    }

    /// Its functions, by ascending position; the main function first.
    #[must_use]
    pub fn subprogs(&self) -> &[Subprog] {
        &self.flow.subprogs
    }

    /// The function with this number; `None` past the last.
    #[must_use]
    pub fn subprog(&self, id: SubprogId) -> Option<&Subprog> {
        self.flow.subprog(id)
    }

    /// The function that contains the slot; the last one for slots past the end.
    #[must_use]
    pub fn subprog_at(&self, at: InsnIdx) -> SubprogId {
        self.flow.subprog_at(at)
    }

    /// The function that starts at the slot.
    #[must_use]
    pub fn subprog_starting_at(&self, at: InsnIdx) -> Option<SubprogId> {
        self.flow.subprog_starting_at(at)
    }

    /// What the walk over the control flow noted about the instruction. Dead branches were still there when it did.
    #[must_use]
    pub fn marks(&self, at: InsnIdx) -> Marks {
        self.flow.marks_at(at)
    }

    /// The number of the strongly connected component that the slot is in; zero where it lies on no loop.
    #[must_use]
    pub fn scc(&self, at: InsnIdx) -> u32 {
        self.components.of.get(at.index()).copied().unwrap_or(0)
    }

    /// How many strongly connected components have a number; they are counted from one.
    #[must_use]
    pub const fn scc_count(&self) -> u32 {
        self.components.count
    }

    /// Registers that may be read before they are written, from this slot on (`live_regs_before`, Linux 7.3).
    #[must_use]
    pub fn live_regs_before(&self, at: InsnIdx) -> RegSet {
        self.registers.before.get(at.index()).copied().unwrap_or_default()
    }

    /// [`live_regs_before`](Self::live_regs_before) of all slots.
    #[must_use]
    pub fn live_regs(&self) -> &[RegSet] {
        &self.registers.before
    }

    /// Whether the instruction neither reads nor writes one of these registers, and control does not go from it to another function, nor
    /// come from one.
    #[must_use]
    pub fn is_calm(&self, at: InsnIdx, regs: RegSet) -> bool {
        !self.flow.involved(at).meets(Involved::regs(regs).with(Involved::LEAVES))
    }

    /// The last slot of those from `first` to `last` whose instruction is not [calm](Self::is_calm); `first` where all are.
    #[must_use]
    pub fn last_involved(&self, first: InsnIdx, last: InsnIdx, regs: RegSet) -> InsnIdx {
        self.flow.last_involving(first, last, Involved::regs(regs).with(Involved::LEAVES))
    }

    /// Whether the instruction makes a 32-bit result whose high half may be read, so that a machine whose 32-bit operations leave the
    /// high half alone must clear it (`zext_dst`, Linux 7.3).
    #[must_use]
    pub fn zero_extends(&self, at: InsnIdx) -> bool {
        self.registers.zero_extend.get(at.index()).copied().unwrap_or(false)
    }

    /// The number that `reg` holds before the slot on every path, if that is known and fits 32 bits.
    #[must_use]
    pub fn const_reg(&self, at: InsnIdx, reg: Reg) -> Option<u32> {
        match self.const_value(at, reg) {
            Some(ConstValue::Number(number)) => Some(number),
            Some(ConstValue::Map(_) | ConstValue::Subprog(_)) | None => None,
        }
    }

    /// What `reg` holds before the slot on every path, if that is known.
    #[must_use]
    pub fn const_value(&self, at: InsnIdx, reg: Reg) -> Option<ConstValue> {
        self.constants.get(at, reg)
    }

    /// All registers that are known before the slot, by ascending number.
    #[must_use]
    pub fn const_values(&self, at: InsnIdx) -> &[(Reg, ConstValue)] {
        self.constants.before(at)
    }

    /// Where control may go from the slot, within its function and in the kernel's order.
    #[must_use]
    pub fn successors(&self, at: InsnIdx) -> Targets<'_> {
        self.flow.successors(at)
    }

    /// The slots that can be reached, function by function, successors mostly before predecessors.
    pub fn postorder(&self) -> impl Iterator<Item = InsnIdx> {
        self.slots_of(self.blocks.postorder())
    }

    /// The slots of one function that can be reached within it, successors mostly before predecessors.
    pub fn postorder_of(&self, subprog: SubprogId) -> impl Iterator<Item = InsnIdx> {
        self.slots_of(self.blocks.postorder_of(subprog))
    }

    /// The slots of these blocks, those of each from its last to its first.
    fn slots_of(&self, order: &[BlockId]) -> impl Iterator<Item = InsnIdx> {
        let blocks = order.iter().filter_map(|&id| self.blocks.get(id));
        blocks.flat_map(|block| self.flow.insns(block).rev().map(|(at, _)| at))
    }

    /// The functions, each after those that it calls.
    #[must_use]
    pub fn callees_first(&self) -> &[SubprogId] {
        &self.callees_first
    }

    /// What is live in the stacks of a chain of frames, the outermost first, when the innermost is about to execute `at`.
    ///
    /// # Soundness
    ///
    /// What is not live is not read on any path from here. A chain that the analysis does not know has everything live.
    #[must_use]
    pub fn live_stack(&self, frames: &[StackFrame], at: InsnIdx) -> StackQuery<'_> {
        let mut query = StackQuery::new(&self.flow, &self.blocks, &self.stack);
        query.ask(frames.iter().copied(), at);
        query
    }

    /// The ways into functions for which the liveness of stacks was computed, by call and then by depth; none where that analysis gave
    /// up.
    pub fn stack_instances(&self) -> impl Iterator<Item = &Instance> {
        self.stack.instances()
    }

    /// Tells how pointers into stacks move through the program: the analysis behind [`stack_instances`](Self::stack_instances), done
    /// again step by step. `request` and `platform` are those that the graph was made for.
    pub fn watch_stack(&self, request: &LoadRequest, platform: &dyn Platform, watch: &mut dyn FnMut(StackEvent)) {
        let mentions = Mentions::of(self.program());
        let callees = Callees::collect(&mentions, request, platform);
        let input = stack::Input {
            flow: &self.flow,
            blocks: &self.blocks,
            mentions: &mentions,
            constants: &self.constants,
            callees: &callees,
            callees_first: &self.callees_first,
            request,
            call_frames: platform.limits(request.privilege).call_frames,
        };
        StackLiveness::watch(&input, watch);
    }

    /// Pairs of spills and fills around the call at this slot that the host takes out, because the callee spares the registers
    /// (`fastcall_spills_num`, Linux 7.3); zero for other instructions.
    #[must_use]
    pub fn fastcall_spills(&self, at: InsnIdx) -> u8 {
        let found = self.spared.binary_search_by_key(&at, |&(at, _)| at).ok();
        found.and_then(|index| self.spared.get(index)).map_or(0, |&(_, spills)| spills)
    }

    /// The basic blocks of what can be reached, by ascending position.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        self.blocks.list()
    }

    /// The block with this number; `None` past the last.
    #[must_use]
    pub fn block(&self, id: BlockId) -> Option<&Block> {
        self.blocks.get(id)
    }

    /// The block that the slot is in; `None` where it cannot be reached.
    #[must_use]
    pub fn block_at(&self, at: InsnIdx) -> Option<BlockId> {
        self.blocks.at(at)
    }

    /// The blocks of a function, by ascending position; its entry first.
    pub fn blocks_of(&self, subprog: SubprogId) -> impl Iterator<Item = BlockId> + use<> {
        self.blocks.of_subprog(subprog).map(BlockId::of)
    }

    /// Where control goes from a block, in the kernel's order.
    #[must_use]
    pub fn block_successors(&self, block: BlockId) -> &[BlockId] {
        self.blocks.successors(block)
    }

    /// Where control comes to a block from.
    #[must_use]
    pub fn block_predecessors(&self, block: BlockId) -> &[BlockId] {
        self.blocks.predecessors(block)
    }

    /// Which blocks every path goes through. Computed at each call, for nothing in the analysis needs it.
    #[must_use]
    pub fn dominators(&self) -> Dominators {
        Dominators::compute(&self.blocks, self.flow.subprogs.len())
    }

    /// The loops that have one header, inner ones before those around them. Loops with several are in
    /// [components](Self::scc) only.
    #[must_use]
    pub fn loops(&self, dominators: &Dominators) -> Vec<Loop> {
        dominators::loops(&self.blocks, dominators, self.flow.subprogs.len())
    }

    /// The graph as a picture.
    #[must_use]
    pub const fn dot(&self) -> Dot<'_> {
        Dot { graph: self }
    }
}

fn check_length(request: &LoadRequest, platform: &dyn Platform) -> Result<(), StructureError> {
    let len = request.program.len();
    let limit = platform.limits(request.privilege).program_len;
    if len == 0 {
        Err(StructureError::whole(StructureCause::Empty))
    } else if len > limit {
        Err(StructureError::whole(StructureCause::TooLong { len, limit }))
    } else {
        Ok(())
    }
}

/// Notes in each function its first instruction that throws.
fn note_throws(request: &LoadRequest, callees: &Callees, mentions: &Mentions, subprogs: &mut [Subprog]) {
    for (at, call) in mentions.calls(&request.program) {
        if let Callee::Kfunc(kfunc) = callees.of(call)
            && kfunc.effects.might_throw
        {
            let id = subprog::containing(subprogs, at);
            if let Some(subprog) = subprogs.get_mut(id.index()) {
                subprog.throws.get_or_insert(at);
            }
        }
    }
}

/// Kernel functions are looked up after the fields of all instructions were checked, and before the walk (`add_kfuncs`, Linux 7.3).
fn check_kernel_calls(request: &LoadRequest, mentions: &Mentions) -> Result<(), StructureError> {
    let mut calls = mentions.calls(&request.program).filter(|(_, call)| matches!(call, Call::Kfunc { .. }));
    match calls.next() {
        Some((at, _)) if !request.privilege.bpf => {
            Err(StructureError::at(at, StructureCause::NotPermitted { what: Restricted::KernelCall }))
        }
        Some(_) | None => Ok(()),
    }
}
