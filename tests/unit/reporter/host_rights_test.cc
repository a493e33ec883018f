#include "reporter/host_rights.h"

#include <catch2/catch.hpp>
#include <string>

namespace heapgauge {
namespace {

std::string Status(const std::string& uid, const std::string& gid, const std::string& groups,
                   const std::string& permitted) {
  return "Name:\tUid:\nState:\tS (sleeping)\nUid:\t" + uid + "\nGid:\t" + gid +
         "\nFDSize:\t64\nGroups:\t" + groups +
         " \nNStgid:\t1\nCapInh:\t0000000000000000\nCapPrm:\t" + permitted +
         "\nCapEff:\t0000000000000400\nCapBnd:\t000001ffffffffff\nNoNewPrivs:\t0\n";
}

Rights Of(const std::string& uid, const std::string& gid, const std::string& groups,
          const std::string& permitted) {
  Rights rights;
  REQUIRE(rights.Parse(Status(uid, gid, groups, permitted)));
  return rights;
}

}  // namespace

TEST_CASE("rights are read from a status file", "[reporter][rights]") {
  const Rights rights = Of("1\t2\t3\t4", "5\t6\t7\t8", "9 10", "000001ffffffffff");
  CHECK(rights.users == std::array<uid_t, 4>{1, 2, 3, 4});
  CHECK(rights.groups == std::array<gid_t, 4>{5, 6, 7, 8});
  CHECK(rights.more_groups == std::vector<gid_t>{9, 10});
  CHECK(rights.permitted == 0x1ffffffffff);
  CHECK(rights.effective == 0x400);
  CHECK(Of("0\t0\t0\t0", "0\t0\t0\t0", "", "0000000000000000").more_groups.empty());
  Rights none;
  CHECK_FALSE(none.Parse(""));
  CHECK_FALSE(none.Parse("Name:\tx\nUid:\t1\t2\n"));
}

TEST_CASE("only what can't be had back counts as given up", "[reporter][rights]") {
  const std::string all = "000001ffffffffff";
  const Rights root = Of("0\t0\t0\t0", "0\t0\t0\t0", "27 100", all);
  CHECK_FALSE(HasMoreThan(root, root));
  // For a moment.
  CHECK_FALSE(HasMoreThan(root, Of("0\t1000\t0\t1000", "0\t1000\t0\t1000", "27 100", all)));
  // For good.
  CHECK(HasMoreThan(root, Of("9\t9\t9\t9", "0\t0\t0\t0", "27 100", all)));
  CHECK(HasMoreThan(root, Of("0\t0\t0\t0", "9\t9\t9\t9", "27 100", all)));
  CHECK(HasMoreThan(root, Of("0\t0\t0\t0", "0\t0\t0\t0", "100", all)));
  CHECK(HasMoreThan(root, Of("0\t0\t0\t0", "0\t0\t0\t0", "27 100", "0000000000000400")));
  Rights bound = root;
  bound.bounding = 1;
  CHECK(HasMoreThan(root, bound));
  CHECK_FALSE(HasMoreThan(bound, root));
  Rights last = root;
  last.no_new_privileges = true;
  CHECK(HasMoreThan(root, last));
  CHECK_FALSE(HasMoreThan(last, root));
  // A first thread that has left stays what it was, whatever the others become.
  Rights left = Of("9\t9\t9\t9", "9\t9\t9\t9", "", "0000000000000000");
  left.ended = true;
  CHECK_FALSE(HasMoreThan(root, left));
  // The other way round there is nothing to follow.
  CHECK_FALSE(HasMoreThan(Of("9\t9\t9\t9", "0\t0\t0\t0", "", "0000000000000000"), root));
  CHECK_FALSE(HasMoreThan(Of("0\t0\t0\t0", "0\t0\t0\t0", "", "0000000000000400"), root));
}

}  // namespace heapgauge
