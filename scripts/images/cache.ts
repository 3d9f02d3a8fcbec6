// Where images are kept between runs, outside the repository.
import { join } from 'node:path';
import { cacheFolder } from '../python-env.ts';

export const imagesCache = join(cacheFolder, 'images');
