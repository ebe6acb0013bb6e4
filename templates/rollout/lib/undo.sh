# How is a step undone? By what is recorded, whatever the present scripts say.
# shellcheck shell=sh disable=SC2154 # variables of lib/step.sh

undo() {
  bring_back
  change_back
  restore_labels
  unmake
}
