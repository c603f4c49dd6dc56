package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// block returns the first fenced block of a language.
func block(t *testing.T, text, language string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "```"+language+"\n")
	code, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatalf("README.md has no %s block", language)
	}
	return code
}

func TestReadmeShowsTheQuickstartAsItIs(t *testing.T) {
	program, err := os.ReadFile("quickstart/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(program), block(t, readme(t), "go")) {
		t.Error("the README's Go code is not what quickstart/main.go says")
	}
	if lines := strings.Count(string(program), "\n"); lines > 60 {
		t.Errorf("quickstart/main.go has %d lines, its bound is 60", lines)
	}
	example, err := os.ReadFile("quickstart/main_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(block(t, readme(t), "text")) {
		if !strings.Contains(string(example), "// "+line) {
			t.Errorf("the README's output %q is not what the quickstart's example checks", line)
		}
	}
}

func TestReadmeLinksLead(t *testing.T) {
	prose := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(readme(t), "")
	link := regexp.MustCompile("\\[(`?)([^\\]`]+)`?\\]\\(([^)#]+)\\)")
	for _, m := range link.FindAllStringSubmatch(prose, -1) {
		name, path := m[2], m[3]
		text, err := os.ReadFile(filepath.Join("..", path))
		if os.IsNotExist(err) {
			t.Errorf("[%s] leads to %s, which isn't there", name, path)
		}
		if strings.HasPrefix(name, "Test") && !strings.Contains(string(text), "func "+name+"(") {
			t.Errorf("%s has no %s", path, name)
		}
	}
}
