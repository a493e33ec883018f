// Which forms of operator new and delete are to be handed on, because somebody has replaced one.
//
// A program may replace any of the twenty forms, and what it leaves out behaves as if written in
// terms of what it has: new[] calls new, a sized delete the plain one.  The C++ library's own
// definitions do so by the program's symbol order, ours end in malloc and free at once.  The same,
// as long as nobody has replaced anything; otherwise the form is handed to the definition behind
// ours, which calls what would have been called without us, and what that takes from malloc is
// counted there.
//
// Forms come in four families (new and delete, with and without alignment); none leads out of its
// own, so a family that nobody touched stays ours.
#ifndef HEAPGAUGE_SHIM_OPERATOR_FORMS_H_
#define HEAPGAUGE_SHIM_OPERATOR_FORMS_H_

#include "base/macros.h"

namespace heapgauge {

enum OperatorForm : unsigned {
  kNew,
  kNewNothrow,
  kNewArray,
  kNewArrayNothrow,
  kNewAligned,
  kNewAlignedNothrow,
  kNewArrayAligned,
  kNewArrayAlignedNothrow,
  kDelete,
  kDeleteSized,
  kDeleteNothrow,
  kDeleteArray,
  kDeleteArraySized,
  kDeleteArrayNothrow,
  kDeleteAligned,
  kDeleteAlignedSized,
  kDeleteAlignedNothrow,
  kDeleteArrayAligned,
  kDeleteArrayAlignedSized,
  kDeleteArrayAlignedNothrow,
  kOperatorForms
};

// As symbol tables have them, by form.
HG_HIDDEN extern const char* const kOperatorNames[kOperatorForms];

// Where a form is handed to; nullptr, the rule: to nobody, it ends in the next allocator.  Until
// ResolveNextAllocator() has run: to functions that have it run.
HG_HIDDEN extern void* g_handed_on[kOperatorForms];

// What those functions call.  By the thread that is at it already: nothing is handed on meanwhile.
void ResolveOperators() noexcept;

// Fills the table.  `home` is the module that holds the next malloc: its operators end there as
// ours do.  `all`: nothing is ours, whoever comes next.
void LookUpOperators(const void* home, bool all) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_OPERATOR_FORMS_H_
