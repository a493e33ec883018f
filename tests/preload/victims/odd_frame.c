/* A module like called_back.c's whose function has unwind tables that no compiler writes: ODD says which.  Nothing needs
 * them while the function runs. */
#include <stdlib.h>

void* module_block(size_t bytes) { return malloc(bytes); }

#if ODD == 0 /* the frame begins where a jump back to itself says */
#define ESCAPE "0x0f, 3, 0x2f, 0xfd, 0xff"
#elif ODD == 1 /* ... a branch that is always taken */
#define ESCAPE "0x0f, 4, 0x31, 0x28, 0xfc, 0xff"
#elif ODD == 2 /* the frame pointer lies there */
#define ESCAPE "0x10, 6, 3, 0x2f, 0xfd, 0xff"
#elif ODD == 3 /* the return address is that */
#define ESCAPE "0x16, 16, 3, 0x2f, 0xfd, 0xff"
#elif ODD == 4 /* the frame begins where a word at an impossible address says */
#define ESCAPE "0x0f, 10, 0x0e, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x06"
#elif ODD == 5 /* a division by zero */
#define ESCAPE "0x0f, 3, 0x31, 0x30, 0x1b"
#elif ODD == 6 /* the smallest number by -1 */
#define ESCAPE "0x0f, 7, 0x31, 0x08, 63, 0x24, 0x09, 0xff, 0x1b"
#elif ODD == 7 /* at an odd address */
#define ESCAPE "0x0c, 7, 13"
#elif ODD == 8 /* gigabytes above */
#define ESCAPE "0x0c, 7, 0xf0, 0xff, 0xff, 0xff, 0x07"
#elif ODD == 9 /* no state was remembered */
#define ESCAPE "0x0b"
#elif ODD == 10 /* values without end */
#define ESCAPE "0x0f, 5, 0x30, 0x12, 0x2f, 0xfc, 0xff"
#elif ODD == 11 /* by a register that holds anything */
#define ESCAPE "0x0d, 3"
#elif ODD == 12 /* the caller's frame is this one */
#define ESCAPE "0x0f, 2, 0x77, 0"
#elif ODD == 13 /* a jump out of the expression */
#define ESCAPE "0x0f, 3, 0x2f, 0xff, 0x7f"
#elif ODD == 14 /* a number without an end */
#define ESCAPE                                                                                 \
  "0x0e, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, " \
  "0xff, 0xff, 0xff, 0xff"
#endif

__asm__(
    ".text\n"
    ".globl module_call\n"
    ".type module_call, @function\n"
    "module_call:\n"
    ".cfi_startproc\n"
    "sub $8, %rsp\n"
    ".cfi_adjust_cfa_offset 8\n"
    ".cfi_escape " ESCAPE
    "\n"
    "call *%rdi\n"
    "add $8, %rsp\n"
    "mov $1, %eax\n"
    "ret\n"
    ".cfi_endproc\n"
    ".size module_call, . - module_call\n");
