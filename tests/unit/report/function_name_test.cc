#include "report/function_name.h"

#include <catch2/catch.hpp>
#include <string>

namespace heapgauge {
namespace {

TEST_CASE("the qualified name is found between return type and parameters", "[report][name]") {
  CHECK(QualifiedName("malloc") == "malloc");
  CHECK(QualifiedName("malloc@@GLIBC_2.2.5") == "malloc");
  CHECK(QualifiedName("dictExpand.part.0") == "dictExpand");
  CHECK(QualifiedName("ApplyCoupon(Cart&, std::string const&) [clone .cold]") == "ApplyCoupon");
  CHECK(QualifiedName("operator new(unsigned long)") == "operator new");
  CHECK(QualifiedName("operator new[](unsigned long, std::nothrow_t const&)") == "operator new[]");
  CHECK(QualifiedName("app::Pool::operator new(unsigned long)") == "app::Pool::operator new");
  CHECK(QualifiedName("void std::vector<int, std::allocator<int> >::_M_realloc_insert<int const&>("
                      "__gnu_cxx::__normal_iterator<int*, std::vector<int> >, int const&)") ==
        "std::vector<int, std::allocator<int> >::_M_realloc_insert<int const&>");
  CHECK(QualifiedName(
            "std::unique_ptr<app::A, std::default_delete<app::A> > app::Make<app::A>(int)") ==
        "app::Make<app::A>");
  CHECK(QualifiedName("app::(anonymous namespace)::Serve(int)") ==
        "app::(anonymous namespace)::Serve");
  CHECK(QualifiedName("app::Run(int)::{lambda()#1}::operator()() const") ==
        "app::Run(int)::{lambda()#1}::operator()");
  CHECK(QualifiedName("app::S::Run(int) const::{lambda(int)#2}::operator()(int) const") ==
        "app::S::Run(int) const::{lambda(int)#2}::operator()");
  CHECK(QualifiedName(
            "std::ostream& std::operator<< <std::char_traits<char> >(std::ostream&, char)") ==
        "std::operator<< <std::char_traits<char> >");
  CHECK(QualifiedName("app::Text::operator std::string() const") ==
        "app::Text::operator std::string");
  CHECK(QualifiedName("bool app::operator<(app::A const&, app::A const&)") == "app::operator<");
  CHECK(QualifiedName("app::Ptr::operator->() const") == "app::Ptr::operator->");
  CHECK(QualifiedName("auto app::F<(app::E)2>(decltype (a->b))") == "app::F<(app::E)2>");
  CHECK(QualifiedName("decltype ((to_json({parm#1}, (f<int>)({parm#2}))),((void)())) "
                      "ns::detail::fn::operator()<int>("
                      "int&) const") == "ns::detail::fn::operator()<int>");
  CHECK(QualifiedName("decltype(auto) app::Get<1>(app::T&)") == "app::Get<1>");
  CHECK(QualifiedName("(anonymous namespace)::Serve(int)") == "(anonymous namespace)::Serve");
  CHECK(QualifiedName("main.handler") == "main.handler");
}

TEST_CASE("what is no C++ name comes back unharmed", "[report][name]") {
  for (const char* name : {"", " ", "(", "<", "a<b", "a(b", "operator", "operator<", ")", "}}}",
                           "@", ".cold", "operator()", "{lambda", "x ["}) {
    INFO(name);
    const std::string text(name);
    CHECK(QualifiedName(text).size() <= text.size());
    CHECK_NOTHROW(ShortName(text));
    CHECK_NOTHROW(ReadableName(text));
  }
  CHECK(QualifiedName("a(b") == "a(b");
  CHECK(ShortName("<unknown>") == "<unknown>");
}

TEST_CASE("the short name leaves template arguments and parameters out", "[report][name]") {
  CHECK(ShortName("void std::vector<int>::_M_realloc_insert<int const&>(int)") ==
        "std::vector::_M_realloc_insert");
  CHECK(ShortName("app::Run(int)::{lambda()#1}::operator()() const") == "app::Run::{lambda}");
  CHECK(ShortName("app::(anonymous namespace)::Serve(int)") == "app::(anonymous namespace)::Serve");
  CHECK(ShortName("app::Name[abi:cxx11](int)") == "app::Name");
  CHECK(ShortName("app::operator<(int)") == "app::operator<");
  CHECK(ShortName("ngx_palloc") == "ngx_palloc");
}

TEST_CASE("the readable name spells standard types as people do", "[report][name]") {
  CHECK(ReadableName(
            "Add(std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> > "
            "const&, std::vector<std::__cxx11::basic_string<char, std::char_traits<char>, "
            "std::allocator<char> >, std::allocator<std::__cxx11::basic_string<char, "
            "std::char_traits<char>, std::allocator<char> > > >&)") ==
        "Add(std::string const&, std::vector<std::string>&)");
  CHECK(ReadableName(
            "F(std::map<int, A, std::less<int>, std::allocator<std::pair<int const, A> > >)") ==
        "F(std::map<int, A>)");
  CHECK(ReadableName("F(std::unique_ptr<A, std::default_delete<A> >) [clone .part.0]") ==
        "F(std::unique_ptr<A>)");
  CHECK(ReadableName("F(std::allocator<char>)") == "F(std::allocator<char>)");
}

}  // namespace
}  // namespace heapgauge
