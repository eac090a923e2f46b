//! What the tests are made of: generators, corpus runners, a concrete interpreter, fuzz bodies.
