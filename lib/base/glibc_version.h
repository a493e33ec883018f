// Which version of a function of the C library's is meant.
//
// A linker takes the newest version that the building machine has, and the loader of an older C
// library refuses the whole file for it.  What runs in a host asks for versions that glibc 2.28 had.
#ifndef HEAPGAUGE_BASE_GLIBC_VERSION_H_
#define HEAPGAUGE_BASE_GLIBC_VERSION_H_

#if defined(__x86_64__)
#define HG_GLIBC_VERSION(x86_64, others) x86_64
#else
#define HG_GLIBC_VERSION(x86_64, others) others
#endif
// The first that glibc had for the processor.
#define HG_GLIBC_FIRST HG_GLIBC_VERSION("GLIBC_2.2.5", "GLIBC_2.17")

// In this file `name` is the C library's `real` of that version.
#define HG_USE_VERSION(name, real, version) __asm__(".symver " #name "," #real "@" version)

// Defines `name`, hidden, as a jump to the C library's `name` of that version.  What is linked into
// the same shared object, other people's archives too, finds it instead of the newest version.  A
// jump: who calls dlsym() is told by the return address.
#define HG_FORWARD_TO_VERSION(name, version) \
  __asm__(".pushsection .text." #name                                                       \
          ",\"ax\",@progbits\n"                                                             \
          ".globl " #name "\n.hidden " #name "\n.type " #name ",@function\n" #name          \
          ":\n"                                                                             \
          ".cfi_startproc\n" HG_JUMP_TO("hg_glibc_" #name) ".cfi_endproc\n"                 \
          ".size " #name ",.-" #name "\n.globl hg_glibc_" #name "\n.symver hg_glibc_" #name \
          "," #name "@" version "\n.popsection\n")
#if defined(__x86_64__)
#define HG_JUMP_TO(symbol) "  endbr64\n  jmp *" symbol "@GOTPCREL(%rip)\n"
#elif defined(__aarch64__)
#define HG_JUMP_TO(symbol) \
  "  hint #34\n  adrp x16, :got:" symbol "\n  ldr x16, [x16, :got_lo12:" symbol "]\n  br x16\n"
#endif

#endif  // HEAPGAUGE_BASE_GLIBC_VERSION_H_
