// The parts of the page.

import './chat.js';
import './composer.js';
import './filter.js';
import './side.js';
import './status.js';
import './citations.js';
import './article.js';
import './door.js';
import './feedback.js';
import './suggest.js';
import './next.js';
import './search.js';
