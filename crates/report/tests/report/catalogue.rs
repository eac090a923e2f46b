//! The catalogue: every code once, and examples that say what they are examples of.

use std::collections::BTreeSet;

use bpfvet_report::catalogue::{entries, examples, find};
use expect_test::expect;

#[test]
fn each_code_stands_once_and_says_why() {
    let codes: BTreeSet<&str> = entries().iter().map(|entry| entry.code).collect();
    assert_eq!(codes.len(), entries().len());
    assert!(entries().iter().all(|entry| !entry.why().is_empty()));
    let without: Vec<&str> = entries().iter().filter(|entry| entry.cure.is_empty()).map(|entry| entry.code).collect();
    assert!(without.is_empty(), "no cure for {without:?}");
}

/// The corpus runs them; here it is seen that they stand where they belong.
#[test]
fn each_example_is_refused_with_its_code_and_its_repair_with_none() {
    let mut seen = BTreeSet::new();
    for example in examples() {
        let code = example.code;
        assert!(find(code).is_some(), "{code} is no code");
        assert!(seen.insert(code), "{code} has two examples");
        match (&example.failing, &example.repaired) {
            (Some(failing), repaired) => {
                // What cannot be met by itself is told in words.
                let refused = failing.refused.map(|(_, code)| code);
                assert!(refused == Some(code) || !example.prose.is_empty(), "{code}: refused with {refused:?}");
                assert_eq!(repaired.as_ref().and_then(|repaired| repaired.refused), None, "{code}");
            }
            (None, None) => assert!(!example.prose.is_empty(), "{code}: says nothing"),
            (None, Some(_)) => panic!("{code}: a repair of nothing"),
        }
    }
}

#[test]
fn an_entry_is_told_with_its_example() {
    expect![[r#"
        memory::stack-uninit

          means:  A byte of the stack is read that was never written, possibly padding of a structure.
          why:    A program runs with the kernel's rights and no hardware guards it, so each access must be
                  proved to be inside its object, on every path.
          cure:   Clear the variable first: `struct key k = {};` or memset.

          refused (program type: socket_filter; without capabilities)

              *(u8 *)(r10 - 8) = 0
              r0 = *(u64 *)(r10 - 8)                  ; refused here
              r0 = 0
              exit

          loads

              *(u64 *)(r10 - 8) = 0
              r0 = *(u64 *)(r10 - 8)
              r0 = 0
              exit

          kernel: invalid read from stack off -8+1 size 8
    "#]]
    .assert_eq(&find("memory::stack-uninit").unwrap().text());
}
