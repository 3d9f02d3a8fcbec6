// The browser's side of the live page. Which of the two pages it is, is in the document.
import { showList } from './list.ts';
import { showWebApp } from './webapp.ts';

if (document.body.dataset['page'] === 'list') showList();
else showWebApp();
