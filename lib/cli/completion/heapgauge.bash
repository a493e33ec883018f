# Completion of heapgauge for bash.  The words come from the command itself, so that they are always those it knows.

_heapgauge_values() {
  local kind
  for kind in $1; do
    case $kind in
      FILE | PATH | A | B | CMD) COMPREPLY+=($(compgen -f -- "$2")) ;;
      DIR) COMPREPLY+=($(compgen -d -- "$2")) ;;
      WHAT) COMPREPLY+=($(compgen -d -W "$(heapgauge ps 2>/dev/null | awk '$1 ~ /^[0-9]+$/ { print $1 }')" -- "$2")) ;;
      PID) COMPREPLY+=($(compgen -W "$(heapgauge ps 2>/dev/null | awk '$1 ~ /^[0-9]+$/ { print $1 }')" -- "$2")) ;;
      [a-z[]*) COMPREPLY+=($(compgen -W "${kind//[\[\]]/}" -- "$2")) ;;
    esac
  done
}

_heapgauge() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} subcommand=${COMP_WORDS[1]}
  local line option values
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "$(heapgauge --help=words 2>/dev/null | cut -f1) help --help --version" -- "$current"))
    return
  fi
  # "--option=value" arrives as three words.
  [ "$current" = = ] && current=
  [ "$previous" = = ] && previous=${COMP_WORDS[COMP_CWORD - 2]}
  if [ "$subcommand" = help ]; then
    COMPREPLY=($(compgen -W "$(heapgauge --help=words 2>/dev/null | cut -f1)" -- "$current"))
    return
  fi
  local words loose= options=
  words=$(heapgauge "$subcommand" --help=words 2>/dev/null) || return
  while IFS= read -r line; do
    option=${line%%$'\t'*}
    values=${line#*$'\t'}
    values=${values%%$'\t'*}
    if [ "$option" = "$previous" ] && [ -n "$values" ]; then
      _heapgauge_values "$values" "$current"
      return
    fi
    if [ "$option" = - ]; then loose=$values; else options+="$option "; fi
  done <<<"$words"
  case $current in
    -*) COMPREPLY=($(compgen -W "$options" -- "$current")) ;;
    *) if [ "$subcommand" = run ]; then COMPREPLY=($(compgen -c -f -- "$current")); else _heapgauge_values "$loose" "$current"; fi ;;
  esac
}

complete -o filenames -F _heapgauge heapgauge
