"""WHAT LEAVES, WHEN, AND WHAT DOES NOT: enrollment, timing, policies, arbitration, and the plan."""
