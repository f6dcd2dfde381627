/** Raw colours, sizes of type and durations stand in tokens.css only. */
export default {
  plugins: ["stylelint-declaration-strict-value"],
  ignoreFiles: ["src/styles/tokens.css", "dist/**"],
  rules: {
    "color-no-hex": true,
    "color-named": "never",
    "function-disallowed-list": ["rgb", "rgba", "hsl", "hsla", "oklch", "lab"],
    "declaration-property-unit-disallowed-list": {
      "font-size": ["px"],
      "/^(animation|transition)/": ["ms", "s"],
    },
    "scale-unlimited/declaration-strict-value": [
      ["/color$/", "fill", "stroke", "font-size", "transition-duration", "animation-duration"],
      { ignoreValues: ["currentColor", "inherit", "transparent", "none", "0", "CanvasText", "Canvas", "Highlight"], disableFix: true },
    ],
    "declaration-no-important": true,
    "block-no-empty": true,
    "no-duplicate-selectors": true,
    "property-no-unknown": true,
  },
};
