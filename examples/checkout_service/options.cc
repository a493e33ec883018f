#include "options.h"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <iostream>
#include <map>
#include <string>

namespace checkout {

std::variant<ServiceOptions, int> ParseServiceOptions(int argc, char** argv) {
  ServiceOptions options;
  int64_t session_ttl_ms = options.session_ttl.count();
  uint64_t coupon_bytes = options.coupon_bytes;

  CLI::App app(
      "A small web shop: carts, prices, receipts, sessions, coupons.  Listens on loopback.",
      "checkout_service");
  app.add_option("--port", options.port, "Port on 127.0.0.1; 0 takes a free one and prints it")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "Worker threads, each serves one connection")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--session-ttl", session_ttl_ms,
                 "An unused session expires after this, e.g. 60s, 500ms")
      ->transform(CLI::AsNumberWithUnit(
          std::map<std::string, int64_t>{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}},
          CLI::AsNumberWithUnit::UNIT_REQUIRED, "DURATION"))
      ->check(CLI::Range(int64_t{100}, int64_t{86'400'000}))
      ->default_str("60s");
  app.add_option("--cache-entries", options.cache_entries,
                 "Entries in the page cache and in the quote cache")
      ->check(CLI::Range(size_t{1}, size_t{1'000'000}))
      ->capture_default_str();
  app.add_option("--products", options.products, "Products in the catalogue")
      ->check(CLI::Range(size_t{8}, size_t{100'000}))
      ->capture_default_str();
  app.add_option("--receipts", options.receipts, "Receipts kept; the oldest goes first")
      ->check(CLI::Range(size_t{1}, size_t{1'000'000}))
      ->capture_default_str();
  app.add_option("--coupon-bytes", coupon_bytes, "Weight of a refused coupon, e.g. 4KiB")
      ->transform(CLI::AsSizeValue(false))
      ->check(CLI::Range(uint64_t{64}, uint64_t{16} << 20))
      ->default_str("4KiB");
  std::string defect = "none";
  app.add_option("--defect", defect,
                 "Start with a defect on, for refused coupons: kept for ever, lost (nothing points "
                 "to them), or bounded (none: the last 128 are kept)")
      ->check(CLI::IsMember({"none", "kept", "lost", "bounded"}))
      ->capture_default_str();
  bool leak_coupons = false;
  app.add_flag("--leak-coupons", leak_coupons, "The same as --defect kept");
  app.add_option("--pid-file", options.pid_file, "Write the process id here; removed at the end");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    std::cerr << "checkout_service: " << error.what() << "; see --help\n";
    return 2;
  }
  options.session_ttl = std::chrono::milliseconds(session_ttl_ms);
  options.coupon_bytes = coupon_bytes;
  options.defect = leak_coupons ? Defect::kKept : ParseDefect(defect).value_or(Defect::kNone);
  return options;
}

}  // namespace checkout
