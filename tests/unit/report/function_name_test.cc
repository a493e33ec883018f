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

TEST_CASE("a symbol of another language or of nobody's grammar is shown whole", "[report][name]") {
  for (const char* name :
       {// Chosen with care: an asm label may hold anything.
        "q\"; touch x #$(touch y)", "$(touch y)", "x $(touch y)", "touch x(y)", "rm -rf /", "`id`",
        "a|b", "f(int); g(int)", "f<\"$(x)>(int)", "x.cold\"; touch z", "f(int) [clone \"; x]",
        "f()@\"; x", "operator; touch x", "operator$(touch x)(int)", "a@b c", "' touch x'::f()",
        "f(\"touch x\")", "{touch x}::f()", "f<a; b>()", "f(a\\b)", "f(`id`)", "x[touch y](int)",
        // Spaces.
        "hello world", "get (x)", "f(int) oops", " f()", "f() ", "a  b<int>(int)", "void f(int)",
        "int x<y>", "f<a b>(int)",
        // Brackets that do not match, or in odd places.
        "a(b", "a)b", "f(int))", "namespace)::f", "f<int", "f>(int)", "[x]", "<x>", "(x)", "()",
        "f()()", "a{", "a::", "::", "a:b", "a:::b",
        // What a terminal or a file of lines would trip over.
        "two\nlines(int)", "f(a\nb)", "f<\"a\nb\">()", "\x1b[2J(int)", "f(\x1b)", "a\tb()",
        // Operators that are none.
        "a operator b", "operator", "operator@(int)", "x~y", "a*b", "a&b", "a=b", "a,b", "-f()",
        // Objective-C, Go, Rust, Swift, D.
        "-[A b:]", "+[NSString stringWithFormat:]", "-[A(Category) b:c:]", "main.(*T).f",
        "main.(*T).f-fm", "main.(*Pool[go.shape.int]).Get",
        "main.Map[go.shape.int,go.shape.string]", "<core::iter::Map<I, F> as Iterator>::next",
        "_$LT$alloc..vec..Vec$LT$T$GT$$u20$as$u20$core..ops..Drop$GT$::drop::h0123456789abcdef",
        "Module.Type.method(x: Swift.Int) -> ()", "void demo.foo(int)"}) {
    INFO(name);
    CHECK(QualifiedName(name) == name);
    CHECK(ShortName(name) == name);
    CHECK(ReadableName(name) == name);
  }
  const std::string_view with_zero("a\0(b)", 5);
  CHECK(ShortName(with_zero) == with_zero);
  CHECK(QualifiedName("\xff\xfe(int)") == "\xff\xfe");  // escaped where it is shown
}

TEST_CASE("names of plain symbols lose no more than a version", "[report][name]") {
  CHECK(QualifiedName("_start@plt") == "_start");
  CHECK(QualifiedName("app::Run(int)@plt") == "app::Run");
  CHECK(QualifiedName("x.cold") == "x");
  CHECK(QualifiedName(".cold") == ".cold");
  CHECK(QualifiedName("a.llvm.123.cold") == "a");
  CHECK(QualifiedName("app::Run(int) (.cold)") == "app::Run");
  CHECK(QualifiedName("app::Run(int) const & [clone .part.0] [clone .cold]") == "app::Run");
}

TEST_CASE("C++ names of every form are taken apart", "[report][name]") {
  CHECK(QualifiedName("app::operator\"\" _km(long double)") == "app::operator\"\" _km");
  CHECK(QualifiedName("operator delete[](void*, std::align_val_t)") == "operator delete[]");
  CHECK(QualifiedName("bool app::operator<=><app::A>(app::A const&)") ==
        "app::operator<=><app::A>");
  CHECK(QualifiedName("bool app::operator==<app::A, (void*)0>(app::A const&)") ==
        "app::operator==<app::A, (void*)0>");
  CHECK(QualifiedName("app::Ptr::operator->*(int)") == "app::Ptr::operator->*");
  CHECK(QualifiedName("app::F::operator()(int, char) const &") == "app::F::operator()");
  CHECK(QualifiedName("app::Text::operator unsigned long() const") ==
        "app::Text::operator unsigned long");
  CHECK(QualifiedName("app::Text::operator char const*()") == "app::Text::operator char const*");
  CHECK(QualifiedName("app::S::~S()") == "app::S::~S");
  CHECK(
      QualifiedName("bool app::Set<int>(app::O&, app::Text app::O::*, bool (*)(char) noexcept)") ==
      "app::Set<int>");
  CHECK(QualifiedName("f<Str<4>{\"a>b\"}>(int)") == "f<Str<4>{\"a>b\"}>");
  CHECK(ShortName("f<Str<4>{\"a>b\"}>(int)") == "f");
  CHECK(QualifiedName("decltype (({parm#1}.begin)()) app::S<int>::parse<int>(int&)") ==
        "app::S<int>::parse<int>");
  CHECK(QualifiedName("non-virtual thunk to app::S::Run(int)") == "app::S::Run");
  CHECK(QualifiedName("unsigned long app::Sum<int>(int)") == "app::Sum<int>");
  CHECK(ShortName("main::(lambda at a.cc:3:4)::operator()() const") == "main::{lambda}");
  CHECK(ShortName("app::Run()::<lambda(int)>::operator()") == "app::Run::{lambda}");
  CHECK(ShortName("main::'lambda0'(int)::operator()(int) const") == "main::{lambda}");
  CHECK(ShortName("{lambda(int)#1}::operator()(int) const") == "{lambda}");
  CHECK(ShortName("alloc::vec::Vec<T,A>::push") == "alloc::vec::Vec::push");
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
