/* A program that lies about itself to whoever looks at it from outside, and goes on:
 *
 *   header MODULE WHAT   the ELF header or the segments of `program`, `libc` or `loader` are patched in memory
 *   auxv WHAT            what the kernel passed on at the start is replaced (needs prctl PR_SET_MM_MAP)
 *   list WHAT            the loader's list of modules leads in a circle, or into nowhere
 *   segments PLACE       the loader's notes of where each module's program headers lie lead elsewhere
 *   name                 the name that it was started by becomes one for a terminal to stumble over
 *   many COUNT           has so many mappings
 *   modules COUNT        the same, each of them an ELF file; "code": each with rights to be executed
 *   churns               maps and unmaps modules all the time, in two threads
 *   waits                one module's pages are never filled in: whoever reads them waits (userfaultfd)
 *   stops                stops itself all the time, and a child lets it go on
 *
 * Says "ready", then "alive" for each line that it is given.  "skip": this kernel does not let it. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int skip(const char* what) {
  printf("skip: %s: %s\n", what, strerror(errno));
  exit(0);
}

static const char* sought;
static ElfW(Ehdr) * found;

static int on_module(struct dl_phdr_info* info, size_t size, void* unused) {
  (void)size, (void)unused;
  const int first = info->dlpi_name[0] == '\0' && found == NULL && strcmp(sought, "program") == 0;
  if (!first && strstr(info->dlpi_name, sought) == NULL) return 0;
  found = (ElfW(Ehdr)*)((char*)info->dlpi_phdr - sizeof(ElfW(Ehdr)));
  return 1;
}

static void patch_header(const char* module, const char* what) {
  sought = strcmp(module, "libc") == 0     ? "libc.so.6"
           : strcmp(module, "loader") == 0 ? "/ld-"
                                           : module;
  dl_iterate_phdr(on_module, NULL);
  if (found == NULL) exit(3);
  void* const page = (void*)((uintptr_t)found & ~(uintptr_t)4095);
  if (mprotect(page, 4096, PROT_READ | PROT_WRITE) != 0) exit(3);
  ElfW(Phdr)* const segments = (ElfW(Phdr)*)(found + 1);
  const int count = found->e_phnum;
  for (int i = 0; i < count; ++i) {
    if (strcmp(what, "memsz") == 0) segments[i].p_memsz = (uint64_t)16 << 30;
    if (strcmp(what, "filesz") == 0) segments[i].p_filesz = segments[i].p_memsz = UINT64_MAX - 4096;
    if (strcmp(what, "offset") == 0) segments[i].p_offset = UINT64_MAX - 100;
    if (strcmp(what, "vaddr") == 0) segments[i].p_vaddr = UINT64_MAX - 100;
    if (strcmp(what, "vaddr_far") == 0) segments[i].p_vaddr = (uint64_t)1 << 46;
    if (strcmp(what, "align") == 0) segments[i].p_align = 0;
    if (strcmp(what, "types") == 0) segments[i].p_type = PT_DYNAMIC;
  }
  if (strcmp(what, "phnum") == 0) found->e_phnum = 0xFFFE;
  if (strcmp(what, "phnum_none") == 0) found->e_phnum = 0;
  if (strcmp(what, "phentsize") == 0) found->e_phentsize = 1;
  if (strcmp(what, "phoff") == 0) found->e_phoff = UINT64_MAX - 64;
  if (strcmp(what, "class") == 0) found->e_ident[EI_CLASS] = ELFCLASS32;
  if (strcmp(what, "magic") == 0) memset(found->e_ident, 0, 4);
  if (strcmp(what, "all") == 0)
    memset((char*)found + SELFMAG, 0xFF,
           sizeof(*found) - SELFMAG + (size_t)count * sizeof(segments[0]));
  mprotect(page, 4096, PROT_READ);
}

/* What follows the part of a module's entry that debuggers know, as glibc has it. */
struct further {
  struct link_map public;
  void* self;
  long name_space;
  struct name {
    const char* text;
    struct name* next;
  } * names;
  ElfW(Dyn) * entries[DT_NUM];
};

static void damage_list(const char* what) {
  struct link_map* const first = _r_debug.r_map;
  struct link_map* last = first;
  struct link_map* library = first;
  for (; last->l_next != NULL; last = last->l_next) {
    if (strstr(last->l_name, "libc.so.6") != NULL) library = last;
  }
  if (library == first) exit(3);
  const uintptr_t page =
      (uintptr_t)last & ~(uintptr_t)4095; /* the loader's own: may be read-only */
  mprotect((void*)page, 8192, PROT_READ | PROT_WRITE);
  struct further* const more = (struct further*)library;
  char* const nowhere = (char*)4096;
  if (strcmp(what, "circle") == 0) last->l_next = first;
  if (strcmp(what, "ring") == 0) last->l_next = first, first->l_prev = last;
  if (strcmp(what, "itself") == 0) library->l_next = library;
  if (strcmp(what, "back") == 0) last->l_next = library;
  if (strcmp(what, "nowhere") == 0) last->l_next = (struct link_map*)nowhere;
  if (strcmp(what, "name") == 0) library->l_name = nowhere;
  if (strcmp(what, "endless_name") == 0) {
    const size_t bytes = (size_t)16 << 20;
    char* const text =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(text, 'n', bytes);
    library->l_name = text;
  }
  if (strcmp(what, "section") == 0) library->l_ld = (ElfW(Dyn)*)nowhere;
  if (strcmp(what, "place") == 0) last->l_addr ^= 0x123456780;
  if (strcmp(what, "names") == 0) more->names->next = more->names;
  if (strcmp(what, "own_name") == 0) more->entries[DT_SONAME] = (ElfW(Dyn)*)nowhere;
  if (strcmp(what, "million") == 0) {
    const size_t count = 1000000;
    struct further* const all = calloc(count, sizeof(*all));
    for (size_t i = 0; i < count; ++i) {
      all[i].public.l_name = "";
      all[i].public.l_prev = i == 0 ? last : &all[i - 1].public;
      all[i].public.l_next = i + 1 == count ? NULL : &all[i + 1].public;
    }
    last->l_next = &all->public;
  }
}

static const void* headers[256];
static size_t header_count;

static int on_headers(struct dl_phdr_info* info, size_t size, void* unused) {
  (void)size, (void)unused;
  if (header_count < 256) headers[header_count++] = info->dlpi_phdr;
  return 0;
}

/* The loader's own notes stand behind what debuggers know of a module. */
static void lose_segments(const char* place) {
  enum { kKnown = 5, kWords = 140 };
  const void* elsewhere = (void*)0x700000001000;
  if (strcmp(place, "kernels") == 0) elsewhere = (void*)0xFFFF800000000000;
  if (strcmp(place, "odd") == 0) elsewhere = (void*)0x12345;
  if (strcmp(place, "forbidden") == 0) {
    elsewhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  size_t lost = 0;
  dl_iterate_phdr(on_headers, NULL);
  for (struct link_map* map = _r_debug.r_map; map != NULL; map = map->l_next) {
    const void** const words = (const void**)(void*)map;
    for (size_t i = kKnown; i < kWords; ++i) {
      for (size_t h = 0; h < header_count; ++h) {
        if (words[i] != headers[h] || headers[h] == NULL) continue;
        words[i] = elsewhere;
        ++lost;
        break;
      }
    }
  }
  if (lost < header_count) exit(3);
}

/* A page with an ELF header whose one segment is 16 GiB of anything. */
static void* lying_page(void) {
  char* const page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ElfW(Ehdr)* const header = (ElfW(Ehdr)*)page;
  memcpy(header->e_ident, ELFMAG "\x02\x01\x01", 7);
  header->e_type = ET_DYN, header->e_machine = EM_X86_64, header->e_version = 1;
  header->e_ehsize = sizeof(*header), header->e_phentsize = sizeof(ElfW(Phdr)), header->e_phnum = 2;
  header->e_phoff = sizeof(*header);
  ElfW(Phdr)* const segment = (ElfW(Phdr)*)(header + 1);
  segment[0] = (ElfW(Phdr)){PT_LOAD, PF_R, 0, 0, 0, (uint64_t)16 << 30, (uint64_t)16 << 30, 4096};
  segment[1] =
      (ElfW(Phdr)){PT_DYNAMIC, PF_R, 512, 512, 512, (uint64_t)16 << 30, (uint64_t)16 << 30, 8};
  return page;
}

/* From the start of the stack's description in /proc/self/stat and maps: what PR_SET_MM_MAP wants in whole. */
static void lie_in_auxv(const char* what) {
  static uint64_t entries[128];
  const int file = open("/proc/self/auxv", O_RDONLY | O_CLOEXEC);
  const ssize_t bytes = read(file, entries, sizeof(entries) - 16);
  close(file);
  if (bytes <= 0) exit(3);
  const size_t count = (size_t)bytes / 16;
  for (size_t i = 0; i < count; ++i) {
    uint64_t* const entry = &entries[i * 2];
    if (strcmp(what, "vdso") == 0 && entry[0] == AT_SYSINFO_EHDR) entry[1] = (uint64_t)lying_page();
    if (strcmp(what, "loader") == 0 && entry[0] == AT_BASE) entry[1] = (uint64_t)lying_page();
    if (strcmp(what, "program") == 0 && entry[0] == AT_PHDR) entry[1] = (uint64_t)lying_page() + 64;
    if (strcmp(what, "name") == 0 && entry[0] == AT_EXECFN) entry[1] = UINT64_MAX - 8;
    if (strcmp(what, "none") == 0) entry[0] = AT_IGNORE;
  }
  char line[4096];
  FILE* const stat = fopen("/proc/self/stat", "re");
  if (fgets(line, sizeof(line), stat) == NULL) exit(3);
  fclose(stat);
  uint64_t field[53] = {0};
  char* at = strrchr(line, ')') + 2;
  for (int i = 3; i < 53; ++i, at += strcspn(at, " \n") + 1) field[i] = strtoull(at, NULL, 10);
  struct prctl_mm_map map = {.start_code = field[26],
                             .end_code = field[27],
                             .start_data = field[45],
                             .end_data = field[46],
                             .start_brk = field[47],
                             .brk = (uint64_t)sbrk(0),
                             .start_stack = field[28],
                             .arg_start = field[48],
                             .arg_end = field[49],
                             .env_start = field[50],
                             .env_end = field[51],
                             .auxv = (void*)entries,
                             .auxv_size = (uint32_t)bytes,
                             .exe_fd = (uint32_t)-1};
  if (prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0) != 0) skip("PR_SET_MM_MAP");
}

static int module_file(const char* name) {
  const int file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || write(file, lying_page(), 4096) != 4096) exit(3);
  return file;
}

/* Two names in turn, so that each mapping is a module of its own. */
static void map_modules(long count, int rights) {
  const int files[] = {module_file("one.so"), module_file("other.so")};
  for (long i = 0; i < count; ++i) {
    if (mmap(NULL, 4096, rights, MAP_PRIVATE, files[i & 1], 0) == MAP_FAILED) skip("mmap");
  }
}

static void* churns(void* name) {
  for (;;) {
    void* pages[64];
    const int file = module_file(name);
    for (int i = 0; i < 64; ++i)
      pages[i] = mmap(NULL, 4096 * (1 + (size_t)i % 3), PROT_READ, MAP_PRIVATE, file, 0);
    for (int i = 0; i < 64; ++i) munmap(pages[i], 4096 * (1 + (size_t)i % 3));
    close(file);
    unlink(name);
  }
  return NULL;
}

static void never_filled(void) {
  const int file = memfd_create("module.so", MFD_CLOEXEC);
  if (file < 0 || ftruncate(file, 1 << 20) != 0) exit(3);
  void* const pages = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  const int faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
  struct uffdio_api api = {.api = UFFD_API};
  struct uffdio_register range = {.range = {(uint64_t)pages, 1 << 20},
                                  .mode = UFFDIO_REGISTER_MODE_MISSING};
  if (faults < 0 || ioctl(faults, UFFDIO_API, &api) != 0 ||
      ioctl(faults, UFFDIO_REGISTER, &range) != 0)
    skip("userfaultfd");
  mprotect(pages, 1 << 20, PROT_READ | PROT_EXEC);
}

static void stops(void) {
  const pid_t parent = getpid();
  if (fork() == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;; usleep(1000)) {
      kill(parent, SIGSTOP);
      usleep(1000);
      kill(parent, SIGCONT);
    }
  }
}

int main(int argc, char** argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  const char* const what = argv[1];
  const char* const which = argc > 2 ? argv[2] : "";
  pthread_t thread;
  if (strcmp(what, "header") == 0) patch_header(which, argv[3]);
  if (strcmp(what, "auxv") == 0) lie_in_auxv(which);
  const int damaged = strcmp(what, "list") == 0 || strcmp(what, "segments") == 0;
  if (strcmp(what, "list") == 0) damage_list(which);
  if (strcmp(what, "segments") == 0) lose_segments(which);
  if (strcmp(what, "name") == 0) strcpy((char*)getauxval(AT_EXECFN), "/\033]0;x\007\n\r\xff");
  if (strcmp(what, "many") == 0) {
    for (long i = 0; i < atol(which); ++i) {
      if (mmap(NULL, 4096, i & 1 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
          MAP_FAILED)
        skip("mmap");
    }
  }
  if (strcmp(what, "modules") == 0)
    map_modules(atol(which), argc > 3 ? PROT_READ | PROT_EXEC : PROT_READ);
  if (strcmp(what, "churns") == 0) {
    pthread_create(&thread, NULL, churns, "one.so");
    pthread_create(&thread, NULL, churns, "other.so");
  }
  if (strcmp(what, "waits") == 0) never_filled();
  if (strcmp(what, "stops") == 0) stops();
  puts("ready");
  char line[64];
  while (fgets(line, sizeof(line), stdin) != NULL) puts("alive");
  if (damaged) _exit(17); /* the loader goes through its list at the exit */
  return 17;
}
