"""Answers SMT-LIB queries: one line `SOLVER SECONDS FILE` in, one line `SOLVER ANSWER CPU-SECONDS FILE` out.

Each query runs in a process of its own, so that a limit on its time is kept and nothing is left over from the one before.
"""
import os
import signal
import sys

import bitwuzla
import cvc5
import z3


def by_bitwuzla(path):
    terms = bitwuzla.TermManager()
    parser = bitwuzla.Parser(terms, bitwuzla.Options())
    parser.parse(path, True, True)
    return str(parser.bitwuzla().check_sat())


def by_z3(path):
    with open(path, encoding="ascii") as file:
        text = file.read()
    logic = text[text.index("(set-logic ") + len("(set-logic "):text.index(")")]
    solver = z3.SolverFor(logic) if logic == "QF_BV" else z3.Solver()
    solver.from_string(text)
    return str(solver.check())


def by_cvc5(path):
    solver = cvc5.Solver(cvc5.TermManager())
    parser = cvc5.InputParser(solver)
    parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, path)
    symbols = parser.getSymbolManager()
    answer = ""
    while True:
        command = parser.nextCommand()
        if command.isNull():
            return answer.strip()
        answer += str(command.invoke(solver, symbols))


SOLVERS = {"bitwuzla": by_bitwuzla, "z3": by_z3, "cvc5": by_cvc5}


def answered(solver, seconds, path):
    """The answer and what it cost; `timeout` past the limit, `error: …` if the solver fails."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            answer = SOLVERS[solver](path)
        except Exception as error:  # whatever a solver throws is its answer
            answer = "error: " + " ".join(str(error).split())
        os.write(writing, answer.encode()[:2000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    _, status, usage = os.wait4(child, 0)
    if not answer:
        answer = "timeout" if os.WIFSIGNALED(status) else f"error: exit status {status}"
    return answer.replace("\t", " "), usage.ru_utime + usage.ru_stime


for line in sys.stdin:
    solver, seconds, path = line.rstrip("\n").split("\t")
    answer, cpu = answered(solver, float(seconds), path)
    print(f"{solver}\t{answer}\t{cpu:.3f}\t{path}", flush=True)
