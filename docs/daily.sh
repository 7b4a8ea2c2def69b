#!/bin/sh
# Scan the file of a day. Prints a line only if somebody has to look: cron sends it by mail.
# The report is named after the file, for the baseline keeps the next run from saying it again.
report=$(basename "$1").md
smbrare scan "$1" --quiet --format markdown --output "$report"
code=$?
case $code in
  0) ;;
  1) echo "rare SMB connections: see $report" ;;
  3) echo "something could not be read: see above, and $report for findings" ;;
  4) echo "something could not be evaluated: see above" ;;
  *) echo "the scan failed" ;;
esac
exit $code
