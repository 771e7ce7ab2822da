export { onRuntime, runtimeAead } from '@hitmachine/service/arithmetic';
