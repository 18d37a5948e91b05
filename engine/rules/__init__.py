"""YES OR NO, AND WHY: rules over what we know.

`parse` reads a rule from YAML, `model` is what it means, `conditions/` holds one condition per
file, `people` turns a rule into the set of those it holds, `explain` says why for one of them.
"""
