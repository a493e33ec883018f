# Passes ctest's output through.  Before its closing lines it lists the tests that passed at the second try only, those of
# earlier runs too, and it adds them to a file:  ctest ... --repeat until-pass:2 | awk -v preset=... -v file=... -f ...
# A test in that list has a fault, of its own or of what it tests: it is to be mended, not to be tried again.
function name(line) {
  sub(/^.*Test +#[0-9]+: /, "", line)
  sub(/ *\.*( +Passed|\*\*\*).*$/, "", line)
  return line
}
/ Test +#[0-9]+: .*\*\*\*(Failed|Timeout|Exception)/ { failed[name($0)] = 1 }
/ Test +#[0-9]+: .* Passed +[0-9.]+ sec/ {
  if (name($0) in failed) print preset ": " name($0) >> file
}
/^[0-9]+% tests passed/ {
  close(file)
  print "Passed at the second try:"
  none = 1
  while ((getline line < file) > 0) {
    print "  " line
    none = 0
  }
  if (none) print "  none"
  print ""
}
{ print; fflush() }
