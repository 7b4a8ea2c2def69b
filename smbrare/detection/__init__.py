"""The judgement: what matches, what is rare, what is excluded, and what a scan reports."""
