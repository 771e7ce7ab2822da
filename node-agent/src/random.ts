export { secureRandom } from '@hitmachine/service/arithmetic';
