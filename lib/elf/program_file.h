// What the file of a program asks of the system: the size of its words, and its dynamic loader.
// Every figure in it may be damaged.
#ifndef HEAPGAUGE_ELF_PROGRAM_FILE_H_
#define HEAPGAUGE_ELF_PROGRAM_FILE_H_

#include <string>

namespace heapgauge::elf {

struct ProgramFile {
  int word_bits = 0;   // 32 or 64; 0: it is no ELF file, or can't be read
  std::string loader;  // "": it asks for none, or in a way that is none
};

// Opened without waiting for anybody.
ProgramFile ReadProgramFile(const std::string& path);

}  // namespace heapgauge::elf

#endif  // HEAPGAUGE_ELF_PROGRAM_FILE_H_
