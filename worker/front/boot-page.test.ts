import { expect, test } from 'vitest';
import { makeBootPage } from './boot-page.ts';

test('shows reason, mend and traceback, and none of them as markup', () => {
  const page = makeBootPage({
    reason: `No module named 'flask'`,
    mend: 'pip install "flask" & start again',
    traceback: 'File "<frozen>", line 1\n<script>alert(1)</script>',
  });
  expect(page).toContain('No module named &#39;flask&#39;');
  expect(page).toContain('pip install &quot;flask&quot; &amp; start again');
  expect(page).toContain('<pre>File &quot;&lt;frozen&gt;&quot;, line 1\n&lt;script&gt;alert(1)&lt;/script&gt;</pre>');
});

test('without a traceback there is no empty box', () => {
  expect(makeBootPage({ reason: 'a', mend: 'b', traceback: '' })).not.toContain('<pre>');
});
