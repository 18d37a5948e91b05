"""What the engine costs, always as a ratio to something else measured in the same run.

    python -m benchmarks [NAME…] [--customers N] [--lines N] [--quick]

`questions/` has one file for each question and is the menu of names. `shop` invents the customers,
`bench` builds a project of a size, `child` runs a command in a process of its own, `clocks` takes
turns, `findings` is what is printed, `asked/` holds rules beside the SQL that was written for them by
hand, and `one_by_one` the same rules judged customer by customer. See docs/benchmarks.md.
"""
