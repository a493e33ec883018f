#include "cli/top_screen.h"

#include <curses.h>
#include <langinfo.h>
#include <unistd.h>

#include <clocale>
#include <cstdlib>
#include <cstring>

#include "cli/output_file.h"

namespace heapgauge::cli {
namespace {

constexpr short kLeakColour = 1;
constexpr short kGrowingColour = 2;

}  // namespace

bool TopScreen::IsUsable() {
  const char* const terminal = std::getenv("TERM");
  return isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0 && terminal != nullptr &&
         *terminal != '\0' && std::strcmp(terminal, "dumb") != 0;
}

TopScreen::TopScreen() {
  std::setlocale(LC_CTYPE, "");
  ascii_ = std::strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
  initscr();
  cbreak();
  noecho();
  keypad(stdscr, TRUE);
  curs_set(0);
  colours_ = ColourWanted() && has_colors();
  if (!colours_) return;
  start_color();
  use_default_colors();
  init_pair(kLeakColour, COLOR_RED, -1);
  init_pair(kGrowingColour, COLOR_YELLOW, -1);
}

TopScreen::~TopScreen() { endwin(); }

size_t TopScreen::columns() const { return static_cast<size_t>(COLS > 0 ? COLS : 80); }
size_t TopScreen::rows() const { return static_cast<size_t>(LINES > 0 ? LINES : 24); }

void TopScreen::Show(const std::vector<TopLine>& lines, const std::string& footer) {
  erase();
  int y = 0;
  for (const TopLine& line : lines) {
    const short colour = line.verdict == "leak"      ? kLeakColour
                         : line.verdict == "growing" ? kGrowingColour
                                                     : 0;
    if (colours_ && colour != 0) attron(COLOR_PAIR(colour));
    if (y == 2) attron(A_REVERSE);
    mvaddstr(y++, 0, line.text.c_str());
    attrset(A_NORMAL);
  }
  if (LINES > 1)
    mvaddstr(LINES - 1, 0, footer.substr(0, columns() > 0 ? columns() - 1 : 0).c_str());
  refresh();
}

int TopScreen::Key(std::chrono::milliseconds patience) {
  timeout(static_cast<int>(patience.count()));
  const int key = getch();
  if (key == KEY_RESIZE) return kResized;
  return key == ERR ? 0 : key;
}

}  // namespace heapgauge::cli
