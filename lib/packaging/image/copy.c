// heapgauge-copy DIRECTORY: what an image for init containers starts.  Copies the tree that this program lies in (lib, bin,
// libexec) below DIRECTORY, a volume that other containers mount, too.  Each file appears whole or not at all.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char* const kParts[] = {"lib", "bin", "libexec", "share"};

static int Failed(const char* what, const char* path) {
  fprintf(stderr, "heapgauge-copy: cannot %s %s: %s\n", what, path, strerror(errno));
  return 1;
}

static int Join(char* to, const char* directory, const char* name) {
  if (snprintf(to, PATH_MAX, "%s/%s", directory, name) < PATH_MAX) return 0;
  errno = ENAMETOOLONG;
  return Failed("copy", name);
}

static int CopyFile(const char* from, const char* to, mode_t mode) {
  char fresh[PATH_MAX];
  if (snprintf(fresh, sizeof(fresh), "%s.new", to) >= (int)sizeof(fresh)) {
    errno = ENAMETOOLONG;
    return Failed("write", to);
  }
  const int in = open(from, O_RDONLY | O_CLOEXEC);
  if (in < 0) return Failed("read", from);
  unlink(fresh);
  const int out = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  if (out < 0) {
    const int status = Failed("make", fresh);
    close(in);
    return status;
  }
  static char piece[1 << 16];
  ssize_t got;
  int status = 0;
  while (status == 0 && (got = read(in, piece, sizeof(piece))) != 0) {
    if (got < 0) {
      status = Failed("read", from);
      break;
    }
    for (ssize_t done = 0; status == 0 && done < got;) {
      const ssize_t written = write(out, piece + done, (size_t)(got - done));
      if (written < 0) status = Failed("write", fresh);
      done += written;
    }
  }
  if (status == 0 && fchmod(out, mode) != 0) status = Failed("write", fresh);
  close(in);
  if (close(out) != 0 && status == 0) status = Failed("write", fresh);
  if (status == 0 && rename(fresh, to) != 0) status = Failed("make", to);
  if (status != 0) unlink(fresh);
  return status;
}

static int CopyTree(const char* from, const char* to) {
  struct stat info;
  if (stat(from, &info) != 0) return Failed("read", from);
  if (S_ISREG(info.st_mode)) return CopyFile(from, to, info.st_mode & 0777);
  if (!S_ISDIR(info.st_mode)) return 0;
  if (mkdir(to, 0755) != 0 && errno != EEXIST) return Failed("make", to);
  DIR* const directory = opendir(from);
  if (directory == NULL) return Failed("read", from);
  int status = 0;
  struct dirent* entry;
  while (status == 0 && (entry = readdir(directory)) != NULL) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    char source[PATH_MAX];
    char target[PATH_MAX];
    status = Join(source, from, entry->d_name) || Join(target, to, entry->d_name) ||
             CopyTree(source, target);
  }
  closedir(directory);
  return status;
}

int main(int argc, char** argv) {
  if (argc != 2 || argv[1][0] == '-' || argv[1][0] == '\0') {
    fprintf(argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr,
            "usage: heapgauge-copy DIRECTORY\n"
            "Copies heapgauge below DIRECTORY; then LD_PRELOAD=DIRECTORY/lib/libheapgauge.so in "
            "another container.\n");
    return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
  }
  // Where this file lies; an image without /proc has it at its root.
  char self[PATH_MAX] = "";
  const ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
  self[length > 0 ? length : 0] = '\0';
  for (int i = 0; i < 2; ++i) {
    char* const slash = strrchr(self, '/');
    if (slash != NULL) *slash = '\0';
  }
  struct stat info;
  if (stat(argv[1], &info) != 0 || !S_ISDIR(info.st_mode)) {
    if (mkdir(argv[1], 0755) != 0) return Failed("make", argv[1]);
  }
  for (size_t i = 0; i < sizeof(kParts) / sizeof(kParts[0]); ++i) {
    char source[PATH_MAX];
    char target[PATH_MAX];
    if (Join(source, self, kParts[i]) != 0 || Join(target, argv[1], kParts[i]) != 0) return 1;
    if (access(source, F_OK) == 0 && CopyTree(source, target) != 0) return 1;
  }
  return 0;
}
