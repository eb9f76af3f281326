// Colours for the blocks of the manual: patterns, and cases. highlight.js comes with mdBook, and has looked at all blocks before
// this runs; those whose language it did not know are looked at again.
(function () {
  'use strict';

  const NAME = /[A-Za-z_\u00c0-\uffff][\w\u00c0-\uffff]*/;

  const comments = [
    { className: 'comment', begin: '//', end: '$' },
    { className: 'comment', begin: /\/\*/, end: /\*\// },
  ];
  const string = { className: 'string', begin: '"', end: '"', contains: [{ begin: /\\./ }] };
  const time = { className: 'number', begin: /@?\d{4}-\d\d-\d\dT[\d:.]+Z?/ };
  // An address is one thing, and not two numbers.
  const address = { className: 'number', begin: /\b\d+(\.\d+){2,}/ };
  const number = { className: 'number', begin: /\b\d[\d_]*(\.\d[\d_]*)?((w|d|h|m|s|ms|us)(\d+(w|d|h|m|s|ms|us))*)?\b/ };

  // A tag of a field, a name that is declared, a quantifier, a function: what words alone do not tell.
  function ensue() {
    return {
      name: 'Ensue',
      keywords: {
        $pattern: NAME,
        keyword:
          'key from active until begin next followedBy followedByAny notNext notFollowedBy ' +
          'where within of previous events optional greedy consecutive combinations skip to past first last none keep all any ' +
          'latest cooldown emit timeout and or not in is like matches between if then else',
        literal: 'true false null',
        type: 'bool int float decimal string timestamp duration list',
      },
      contains: [
        ...comments,
        string,
        time,
        address,
        number,
        { className: 'meta', begin: /@(key|type|time)\b/ },
        { className: 'keyword', begin: /\b(pattern|stream|table|param|let)\b/, starts: { className: 'title', end: NAME } },
        { className: 'built_in', begin: /\b[a-z_]+(?=\()/ },
      ],
    };
  }

  function cases() {
    return {
      name: 'Ensue cases',
      keywords: {
        $pattern: NAME,
        keyword: 'events outputs',
        literal: 'true false null',
      },
      contains: [
        { className: 'comment', begin: /^\s*\/\//, end: '$' },
        { className: 'section', begin: /^case /, end: '$' },
        { className: 'keyword', begin: /^\s*(pattern|param|key|type|start|table|watermarks?|input)\b/ },
        { className: 'addition', begin: /(^\s*([+-] )?|: +)(match|late|rejected)(?=\s)/ },
        { className: 'deletion', begin: /(^\s*([+-] )?|: +)timeout(?=\s)/ },
        string,
        time,
        address,
        number,
        { className: 'attr', begin: new RegExp(NAME.source + '(?=[=:])') },
      ],
    };
  }

  hljs.registerLanguage('ensue', ensue);
  hljs.registerAliases(['right', 'wrong', 'holds'], { languageName: 'ensue' });
  hljs.registerLanguage('case', cases);
  hljs.registerAliases(['events', 'outputs', 'report', 'table'], { languageName: 'case' });

  // A file of an example: coloured by its ending, with its name above it.
  const languages = { pattern: 'ensue', case: 'case', rs: 'rust', jsonl: 'json' };
  document.querySelectorAll('pre code.language-file').forEach(function (block) {
    const name = [...block.classList].find((word) => word.includes('.'));
    const caption = document.createElement('div');
    caption.className = 'file-name';
    caption.textContent = name;
    block.closest('pre').before(caption);
    const language = languages[name.split('.').pop()];
    if (language) {
      block.classList.replace('language-file', `language-${language}`);
      hljs.highlightBlock(block);
    }
  });

  const own = ['ensue', 'right', 'wrong', 'holds', 'case', 'events', 'outputs', 'report', 'table'];
  document.querySelectorAll(own.map((name) => `pre code.language-${name}`).join(', ')).forEach(hljs.highlightBlock);
})();
