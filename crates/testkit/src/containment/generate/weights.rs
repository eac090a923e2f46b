//! What programs are made of, and how daring they are.

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $usual:literal,)*) => {
        /// A kind of statement.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Statement {
            $($(#[$doc])* $name,)*
        }

        impl Statement {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// How often it is made usually.
            const fn usual(self) -> u32 {
                match self { $(Self::$name => $usual,)* }
            }
        }
    };
}

statements! {
    /// Operations on numbers.
    Arithmetic = 24,
    /// A number that the program cannot know.
    Outside = 8,
    /// A number to the stack.
    Stack = 5,
    /// A value to the stack, or back.
    Spill = 5,
    /// A part of a number to the stack and back, used as an offset.
    Narrow = 3,
    /// A byte of the stack at an offset that is not known.
    VariableStack = 4,
    /// A bound that is learned of one number and used of another.
    Linked = 3,
    /// A value of a map.
    LookUp = 4,
    /// An access to a value of a map.
    MapValue = 7,
    /// A value of a map that is in a map.
    InnerMap = 2,
    /// An atomic operation.
    Atomic = 4,
    /// Bytes of a packet.
    Packet = 4,
    /// The packet moves.
    MovePacket = 2,
    /// A load from the packet that may end the function.
    PacketLoad = 2,
    /// A helper writes to the stack.
    Fill = 3,
    /// A record of a ring buffer.
    Record = 3,
    /// A socket.
    Socket = 2,
    /// A lock.
    Lock = 2,
    /// Something that is done later.
    Timer = 2,
    /// One way or the other.
    Branch = 4,
    /// A loop.
    Repeat = 4,
    /// A helper or a function.
    Call = 4,
    /// A function of the program run over a map.
    ForEach = 2,
    /// Another program, perhaps.
    TailCall = 1,
    /// Two ways that differ and meet, and a use of what differs.
    Ways = 6,
    /// A number that grows from round to round, and a use of it.
    Growth = 3,
    /// A pointer that is moved before or after it is known whether there is one.
    MovedEarly = 1,
    /// A pointer that goes back.
    Backwards = 1,
    /// Two pointers into the packet, an unknown number apart.
    Apart = 1,
    /// A part of a number by way of the stack.
    Part = 1,
    /// A slot that was written, or was not.
    Unwritten = 1,
}

/// How often each kind of statement is made, and how often one of them is put almost right.
#[derive(Clone, Debug)]
pub struct Weights {
    of: Vec<(Statement, u32)>,
    /// Statements of the entry function, at most, and a few more.
    length: u32,
    /// How many times as often as usual a statement has a mistake in it.
    pub(super) daring: u32,
    /// Whether the program is loaded without the right to see addresses; one in this many is.
    pub(super) watched: u32,
}

impl Default for Weights {
    fn default() -> Self {
        let of = Statement::ALL.iter().map(|statement| (*statement, statement.usual())).collect();
        Self { of, length: 20, daring: 1, watched: 16 }
    }
}

impl Weights {
    /// More of these, and of mistakes.
    #[must_use]
    pub fn focused(on: &[Statement]) -> Self {
        let mut weights = Self { daring: 6, length: 4, ..Self::default() };
        for (statement, weight) in &mut weights.of {
            if on.contains(statement) {
                *weight = 240 / u32::try_from(on.len()).unwrap_or(1).max(1);
            }
        }
        weights
    }

    /// Programs without the right to see addresses.
    #[must_use]
    pub fn watched(self) -> Self {
        Self { watched: 1, ..self }
    }

    pub(super) const fn length(&self) -> u32 {
        self.length
    }

    /// The statement on which a number falls.
    pub(super) fn pick(&self, number: u64) -> Statement {
        let sum: u32 = self.of.iter().map(|(_, weight)| weight).sum();
        let mut left = u32::try_from(number.checked_rem(u64::from(sum)).unwrap_or(0)).unwrap_or(0);
        for (statement, weight) in &self.of {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return *statement,
            }
        }
        Statement::Arithmetic
    }
}
