// A script for a task on `test/fixtures/python-repo`.
import type { Script } from '../script.ts';

const longest = `

def longest(text: str) -> str:
    """The longest word of a text, the first of several; a text without words is refused."""
    words = text.split()
    if not words:
        raise ValueError("a text without words has no longest one")
    return max(words, key=len)
`;

const longestTest = `import unittest

from wordcount import longest


class LongestTest(unittest.TestCase):
    def test_the_first_of_the_longest_words(self) -> None:
        self.assertEqual(longest("a bird flew high"), "bird")

    def test_a_text_without_words_is_refused(self) -> None:
        with self.assertRaises(ValueError):
            longest("  ")


if __name__ == "__main__":
    unittest.main()
`;

const end = '    return Counter(text.lower().split())\n';

export const addLongestWord: Script = {
  name: 'add-longest-word',
  plays: [
    {
      steps: [
        { calls: [{ tool: 'read_file', args: { path: 'wordcount/__init__.py' } }] },
        {
          calls: [
            { tool: 'edit_file', args: { path: 'wordcount/__init__.py', old_text: end, new_text: end + longest } },
            { tool: 'write_file', args: { path: 'tests/test_longest.py', content: longestTest } },
          ],
        },
        { calls: [{ tool: 'run_tests' }] },
        { calls: [{ tool: 'done', args: { summary: 'longest(text) gives the longest word; tests are added.' } }] },
      ],
    },
  ],
};
