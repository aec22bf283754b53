// Names that git forbids, and commits and trees that its fsck would refuse.
#include "git/names.hpp"

#include <gtest/gtest.h>

#include <string>

#include "git/object_fault.hpp"

namespace bernstein::git {
namespace {

TEST(Names, ThatCouldBeGitAreForbidden) {
  for (const char* name : {"", ".", "..", ".git", ".GIT", ".Git", "git~1", "GIT~1", ".git ", ".git. .", ".git:stream",
                           ".g\u200cit", "\ufeff.git", "x\\.git", "..\\.git\\config", "a/b"}) {
    EXPECT_TRUE(is_forbidden_name(name)) << name;
  }
  for (const char* name :
       {".gitignore", ".gitattributes", "git", "git~2", ".github", "...", "a b", ".g\u00eft", "x\\y"}) {
    EXPECT_FALSE(is_forbidden_name(name)) << name;
  }
  EXPECT_TRUE(is_forbidden_path("a/.git/config"));
  EXPECT_TRUE(is_forbidden_path("a//b"));
  EXPECT_FALSE(is_forbidden_path("a/b"));
}

TEST(Names, ArePrintedSoThatEveryByteCanBeSeen) {
  EXPECT_EQ(printable_path("src/ü.txt"), "src/ü.txt");
  EXPECT_EQ(printable_path("a\xff\x62"), "a\\xFFb");
  EXPECT_EQ(printable_path("a\nb\x7f"), "a\\x0Ab\\x7F");
  EXPECT_EQ(printable_path("\xe2\x82"), "\\xE2\\x82");
}

std::string a_commit(const std::string& author, const std::string& committer = "C <c@x> 1 +0000") {
  return "tree " + std::string(40, 'a') + "\nauthor " + author + "\ncommitter " + committer + "\n\nmessage\n";
}

TEST(CommitFault, IsWhatFsckWouldFind) {
  EXPECT_EQ(commit_fault(a_commit("A U Thor <a@x> 1700000000 +0100")), std::nullopt);
  EXPECT_EQ(commit_fault(a_commit("A <> 0 -0000")), std::nullopt);
  for (const char* author :
       {"<a@x> 1 +0000", "A<a@x> 1 +0000", "A <a@x 1 +0000", "A a@x> 1 +0000", "A <a@x>1 +0000", "A <a@x> 01 +0000",
        "A <a@x> x +0000", "A <a@x> 1 0000", "A <a@x> 1 +000", "A <a@x> 1", "A <a@x> 99999999999999999999 +0000"}) {
    EXPECT_EQ(commit_fault(a_commit(author)), "its author line is malformed") << author;
  }
  EXPECT_EQ(commit_fault(a_commit("A <a@x> 1 +0000", "C")), "its committer line is malformed");
  EXPECT_EQ(commit_fault(a_commit("A <a@x> 1 +0000") + std::string(1, '\0')), "it has a NUL byte");
  EXPECT_EQ(commit_fault("tree abc\n"), "its tree line is malformed");
  EXPECT_EQ(commit_fault(""), "its tree line is malformed");
}

std::string an_entry(const std::string& mode, const std::string& name, char id = 'a') {
  return mode + " " + name + '\0' + std::string(20, id);
}

TEST(TreeFault, IsWhatFsckWouldFind) {
  const RawTree good = parse_tree(an_entry("100644", "a") + an_entry("40000", "a-b") + an_entry("120000", "c"));
  EXPECT_EQ(good.fault, std::nullopt);
  EXPECT_EQ(good.entries.size(), 3U);
  EXPECT_EQ(good.entries[1].name, "a-b");
  EXPECT_EQ(good.entries[1].mode, 040000U);
  EXPECT_EQ(parse_tree(an_entry("100644", ".git")).fault, "it has an entry '.git', which git forbids");
  EXPECT_EQ(parse_tree(an_entry("40000", "..")).fault, "it has an entry '..', which git forbids");
  EXPECT_EQ(parse_tree(an_entry("100644", "a/b")).fault, "it has an entry 'a/b', which git forbids");
  EXPECT_EQ(parse_tree(an_entry("040000", "a")).fault, "'a' has the unknown mode 040000");
  EXPECT_EQ(parse_tree(an_entry("100664", "a")).fault, "'a' has the unknown mode 100664");
  EXPECT_EQ(parse_tree(an_entry("100644", "b") + an_entry("100644", "a")).fault, "its entries are not sorted");
  EXPECT_EQ(parse_tree(an_entry("100644", "a") + an_entry("40000", "a")).fault, "it has two entries 'a'");
  EXPECT_EQ(parse_tree(an_entry("120000", ".gitmodules")).fault, "its .gitmodules is a symbolic link");
  EXPECT_EQ(parse_tree(an_entry("100644", "a", '\0')).fault, "'a' has no object");
  EXPECT_EQ(parse_tree(an_entry("100644", "a").substr(0, 15)).fault, "it is cut off");
}

}  // namespace
}  // namespace bernstein::git
